"""The background at work: real worker and beat processes on a real broker, a real database, mail over a real socket."""

from __future__ import annotations

import time

import pytest

from batches.execution.models import Entry, Excursion
from quality.alerts.models import AlertDelivery, Heartbeat
from tests.builders.background import Background, background, wait_for


@pytest.fixture
def here(committed_db, tmp_path, monkeypatch):
    with background(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def lab(committed_db, settings, tmp_path):
    from tests.builders.laboratory import Laboratory

    settings.KEYS_FOLDER = tmp_path / "keys"
    return Laboratory()


def recorded(lab, lot):
    """(values, excursions, deviations, their alerts) of a viability. Late in a day sweeps also say that a step is due: that is not its alert."""
    with lab.reading():
        found = Entry.objects.filter(lot=lot, parameter="viability").count(), Excursion.objects.filter(lot=lot).count()
    return (*found, len(lab.deviations(lot)), len(of_deviations(lab, lot)))


def of_deviations(lab, lot):
    return lab.alerts(lot=lot, cause__startswith="deviation:")


def told(lab):
    with lab.reading():
        return sorted(deliveries(delivered=True, channel="mail").values_list("recipient", flat=True))


def deliveries(**wanted):
    return AlertDelivery.objects.filter(alert__cause__startswith="deviation:", **wanted)


def mailed(here: Background, lab, name: str) -> list[str]:
    """The mails about deviations that somebody got."""
    return [text for text in here.mail.to(f"{lab.users[name].username}@site.example") if "DEV-" in text]


@pytest.mark.req("DEV-02", case="positive")
def test_a_worker_classifies_alerts_and_mails_once_however_often_its_tasks_run(here, lab):
    here.start_worker()
    lot = lab.to_count()
    lab.enter(lot, "A1.2", viability="65.0")
    wait_for(lambda: len(told(lab)) == 2)
    (deviation,), (alert,) = lab.deviations(lot), of_deviations(lab, lot)
    assert (deviation.classification, alert.severity, alert.cause) == ("major", "warning", f"deviation:{deviation.pk}")
    for _ in range(4):
        here.send("quality.answer_deviation", site=str(lab.place.site.pk), subject=str(deviation.pk))
        here.send("quality.deliver_alert", site=str(lab.place.site.pk), subject=str(alert.pk))
        here.send("quality.sweep")
    first = beats(lab)
    here.send("quality.sweep")
    wait_for(lambda: beats(lab) > first and time.sleep(1) is None)
    assert recorded(lab, lot) == (1, 1, 1, 1)
    assert len(mailed(here, lab, "mails")) == len(mailed(here, lab, "mailq")) == 1
    (mail,) = mailed(here, lab, "mails")
    assert deviation.number in mail and lot.number in mail and "Demo" not in mail.replace("Demo Cartulary", "")


def beats(lab):
    last = Heartbeat.objects.filter(site_id=lab.place.site.pk, sweep="undelivered_alerts").first()
    return last.last_at.timestamp() if last else 0.0


@pytest.mark.req("DEV-02", case="negative")
def test_a_worker_killed_between_excursion_and_alert_leaves_one_deviation_and_one_alert(here, lab, committed_db):
    here.start_worker("doomed")
    lot = lab.to_count()
    with committed_db.connect() as blocker:
        # Nobody can write an alert while this is held: the worker stands between the excursion and its alert.
        blocker.execute("LOCK TABLE quality_alert IN EXCLUSIVE MODE")
        lab.enter(lot, "A1.2", viability="65.0")
        wait_for(lambda: waiting_for_alert(committed_db))
        here.supervisor.kill("doomed")
        blocker.rollback()
    assert recorded(lab, lot) == (1, 1, 1, 0)
    here.start_worker("second")
    here.start_beat()
    wait_for(lambda: len(told(lab)) == 2)
    before = beats(lab)
    wait_for(lambda: beats(lab) > before)
    assert recorded(lab, lot) == (1, 1, 1, 1)
    assert lab.deviations(lot)[0].classification == "major"


def waiting_for_alert(database) -> bool:
    with database.connect(autocommit=True) as admin:
        found = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%quality_alert%'"
        )
        return bool(found.fetchone()[0])


@pytest.mark.req("DEV-02", case="negative")
def test_a_value_entered_while_redis_is_down_is_saved_at_once_and_the_alert_follows(here, lab):
    lot = lab.to_count()
    here.broker.stop()
    started = time.monotonic()
    lab.enter(lot, "A1.2", viability="65.0")
    assert time.monotonic() - started < 2, "the person was kept waiting for a broker"
    assert recorded(lab, lot) == (1, 1, 1, 0)
    here.broker.start()
    here.start_worker()
    here.start_beat()
    wait_for(lambda: len(told(lab)) == 2)
    assert recorded(lab, lot) == (1, 1, 1, 1)


def test_a_worker_outlives_its_broker_even_with_work_in_hand(here, lab, committed_db):
    here.start_worker()
    here.start_beat()
    wait_for(lambda: beats(lab))
    with committed_db.connect() as blocker:
        blocker.execute("LOCK TABLE quality_heartbeat IN EXCLUSIVE MODE")  # the sweep cannot end, so its message is not acknowledged
        time.sleep(3)
        here.broker.stop()
        wait_for(lambda: "Trying to re-establish" in (here.folder / "worker.log").read_text())
        blocker.rollback()
    here.broker.start()
    before = beats(lab)
    wait_for(lambda: beats(lab) > before + 2, 60)
    assert here.supervisor.child("worker").process.poll() is None
    assert "Restoring" in (here.folder / "worker.log").read_text()


def test_every_sweep_leaves_a_heartbeat_for_every_site(here, lab):
    from quality.alerts import heartbeats
    from tests.builders.people import open_place

    other = open_place().site
    assert heartbeats.missed([other.pk]) == ["no sweep has finished yet"]
    here.start_worker()
    here.send("quality.sweep")
    wait_for(lambda: not heartbeats.missed([lab.place.site.pk, other.pk]))


def test_a_mail_server_that_is_away_is_noted_once_and_tried_again(here, lab):
    sink, here.env["EMAIL_URL"] = here.mail.port, "smtp://127.0.0.1:9"
    here.start_worker("deaf")
    lot = lab.to_count()
    lab.enter(lot, "A1.2", viability="65.0")
    wait_for(lambda: failed(lab) == 2)
    here.send("quality.sweep")
    before = beats(lab)
    wait_for(lambda: beats(lab) > before)
    assert failed(lab) == 2
    here.supervisor.kill("deaf")
    here.env["EMAIL_URL"] = f"smtp://127.0.0.1:{sink}"
    here.start_worker("hearing")
    here.send("quality.sweep")
    wait_for(lambda: len(told(lab)) == 2)
    assert len(mailed(here, lab, "mails")) == 1


def failed(lab) -> int:
    with lab.reading():
        return deliveries(delivered=False).count()
