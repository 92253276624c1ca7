"""Alerts: raised once a cause, told rung by rung until a person acknowledges; the clocks that raise them; heartbeats."""

from __future__ import annotations

import datetime as dt

import pytest

from batches.execution.models import Excursion
from mes.clock import record_now
from mes.people.setup import system_actor
from quality import watch
from quality.alerts import heartbeats, queries, services
from quality.alerts.delivery import deliver
from quality.alerts.models import Alert, AlertDelivery
from quality.tasks import sweep_site
from tests.builders.registers import move_clock
from tests.builders.staff import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def jobs(lab):
    return system_actor(lab.place.site.pk)


def raised(jobs, severity="warning", cause="test:1", **more) -> Alert:
    return services.raise_alert(by=jobs, cause=cause, severity=severity, title="Something is wrong", **more)


def fresh(lab, alert) -> Alert:
    with lab.reading():
        return queries.one(alert.pk)


def swept(lab) -> dict[str, int]:
    return sweep_site(lab.place.site)


# --- once a cause, rung by rung ---------------------------------------------------------------------------------------


def test_an_alert_is_raised_once_per_cause(lab, jobs):
    assert raised(jobs).pk == raised(jobs).pk
    assert len(lab.alerts()) == 1 and lab.alerts()[0].version == 1


def test_an_alert_without_cause_or_of_unknown_severity_is_refused(jobs, refused):
    with refused("alert_without_cause"):
        raised(jobs, cause="")
    with refused("unknown_severity"):
        raised(jobs, severity="panic")


def test_the_ladder_tells_more_people_and_then_everybody_again_until_acknowledged(lab, jobs, mail):
    alert = raised(jobs, "alarm")
    assert set(alert.roles) == {"supervisor", "qa_reviewer"} and watch.escalations(jobs) == 0
    told = []
    for hours in (0.3, 1.1, 6, 11):
        move_clock(hours=hours)
        swept(lab)
        told.append((fresh(lab, alert).level, sorted(fresh(lab, alert).roles)))
    assert [level for level, _ in told] == [1, 2, 3, 4]
    assert told[0][1] == ["qa_release", "qa_reviewer", "supervisor"] and "treatment_centre" in told[1][1]
    services.acknowledge(by=lab.by("boss"), alert_id=alert.pk, seen=fresh(lab, alert).version)
    move_clock(hours=100)
    swept(lab)
    assert fresh(lab, alert).level == 4 and fresh(lab, alert).next_escalation_at is None


def test_a_notice_is_told_once(lab, jobs):
    alert = raised(jobs, "notice")
    assert alert.next_escalation_at is None and alert.roles == ["supervisor"]


def test_everybody_of_the_roles_is_reached_here_and_by_mail_once_a_rung(lab, jobs, mail):
    lot = lab.order()
    alert = raised(jobs, lot_id=lot.pk)
    assert deliver(by=jobs, alert_id=alert.pk) == 7 and deliver(by=jobs, alert_id=alert.pk) == 0
    with lab.reading():
        reached = {(each.channel, each.recipient.split(".")[0]) for each in AlertDelivery.objects.filter(alert=alert)}
    assert reached == {("app", "boss"), ("app", "deputy"), ("app", "quinn"), ("app", "mails"), ("app", "mailq"), ("mail", "mails"), ("mail", "mailq")}
    ((_, text), _) = mail.mails
    assert lot.number in text and lot.check_code in text and f"/alerts/{alert.pk}/" in text


@pytest.mark.req("COI-08", case="negative")
def test_no_mail_names_a_patient(lab, jobs, mail):
    lot = lab.to_count()
    lab.enter(lot, "A1.2", viability="65.0")
    swept(lab)
    assert mail.mails
    for _, text in mail.mails:
        assert "Patient" not in text and "1970-01-01" not in text and "H000" not in text


def test_the_named_physician_is_told_when_the_treatment_centre_is(lab, jobs, mail):
    lot = lab.order()
    alert = raised(jobs, lot_id=lot.pk, roles=["treatment_centre"])
    deliver(by=jobs, alert_id=alert.pk)
    assert len(mail.to("demo@hospital.example")) == 1


def test_taking_note_needs_the_right_and_happens_once(lab, jobs, refused):
    alert = raised(jobs)
    with refused("not_your_role"):
        services.acknowledge(by=lab.by("maya"), alert_id=alert.pk, seen=alert.version)
    with refused("stale_screen"):
        services.acknowledge(by=lab.by("boss"), alert_id=alert.pk, seen=alert.version + 1)
    done = services.acknowledge(by=lab.by("boss"), alert_id=alert.pk, seen=alert.version)
    with refused("alert_acknowledged"):
        services.acknowledge(by=lab.by("quinn"), alert_id=alert.pk, seen=done.version)
    with refused("alert_acknowledged"):
        services.escalate(by=jobs, alert_id=alert.pk, seen=done.version)


def test_deliveries_are_recorded_by_the_jobs_alone_and_escalation_waits_for_its_time(lab, jobs, refused):
    alert = raised(jobs)
    with refused("delivery_by_person"):
        services.record_delivery(by=lab.by("boss"), alert_id=alert.pk, channel="app", recipient="boss", level=0, delivered=True)
    with refused("not_due"):
        services.escalate(by=jobs, alert_id=alert.pk, seen=alert.version)


# --- the clocks -------------------------------------------------------------------------------------------------------


@pytest.mark.req("DEV-01", case="positive")
def test_a_hold_time_warns_before_its_limit_and_is_a_deviation_once_it_has_passed(lab, jobs):
    lot = lab.counted()
    assert watch.hold_times(jobs) == 0
    move_clock(hours=10)
    watch.hold_times(jobs)
    (warning,) = lab.alerts(lot=lot, cause__startswith="time_limit_warning")
    assert "ends at" in warning.title and not lab.deviations(lot)
    move_clock(hours=12.2)
    for _ in range(3):
        swept(lab)
    with lab.reading():
        assert Excursion.objects.filter(lot=lot, kind="time_limit").count() == 1
    (deviation,) = lab.deviations(lot)
    assert deviation.classification == "major"
    assert len(lab.alerts(cause=f"deviation:{deviation.pk}")) == 1 and len(lab.alerts(cause__startswith="time_limit_warning")) == 1


def test_a_step_is_announced_on_its_day_and_told_when_it_is_late(lab, jobs):
    lot = lab.counted()
    with lab.reading():
        from batches.lots.models import Lot

        started = Lot.objects.get(pk=lot.pk).started_at
    end = watch.end_of_day(started, 0, watch.ZoneInfo(lab.place.site.time_zone))
    move_clock(hours=max(0.0, (end - record_now()).total_seconds() / 3600 - 1))
    watch.overdue_steps(jobs)
    assert [each.severity for each in lab.alerts(cause__startswith="step_due")] == ["notice"]
    move_clock(hours=(end - record_now()).total_seconds() / 3600 + 30)
    watch.overdue_steps(jobs)
    watch.overdue_steps(jobs)
    (late,) = lab.alerts(cause__startswith="step_overdue")
    assert late.severity == "warning" and "A1.3" in late.title
    lab.open(lot, "A1.3", "boss")
    lab.decide(lot, "go")
    assert {each.state for each in lab.alerts(cause__startswith="step_")} == {"raised"}, "it is done when its second person signed"
    lab.second(lot, "A1.3", "deputy", at="boss")
    assert {each.state for each in lab.alerts(cause__startswith="step_")} == {"acknowledged"}


@pytest.mark.parametrize("day, wanted", [(0, "2026-03-29T22:00:00+00:00"), (1, "2026-03-30T22:00:00+00:00")])
def test_a_manufacturing_day_ends_at_midnight_of_the_site_also_when_clocks_change(day, wanted):
    from zoneinfo import ZoneInfo

    started = dt.datetime(2026, 3, 28, 23, 30, tzinfo=dt.UTC)  # the 29th in Berlin, the day clocks are put forward
    assert watch.end_of_day(started, day, ZoneInfo("Europe/Berlin")).isoformat() == wanted


@pytest.mark.req("QC-07", case="negative")
def test_a_late_result_that_does_not_come_raises_an_alert(lab, jobs):
    from batches.lots.services import move_lot

    lot = lab.received(lab.to_count())
    move_lot(by=lab.by("boss"), lot_id=lot.pk, state="manufactured")
    move_clock(hours=24 * 6)
    watch.overdue_results(jobs)
    watch.overdue_results(jobs)
    (alert,) = lab.alerts(cause__startswith="result_overdue")
    assert "Vector copy number" in alert.title and "qa_release" in alert.roles


# --- silence is failure -----------------------------------------------------------------------------------------------


def test_one_item_that_fails_keeps_no_other_waiting_and_leaves_no_heartbeat(lab, jobs, monkeypatch):
    first, second = lab.to_count(), lab.to_count()
    for lot in (first, second):
        lab.enter(lot, "A1.2", viability="65.0")
    broken = lab.deviations(first)[0].pk
    whole = watch.answer_deviation
    monkeypatch.setattr(watch, "answer_deviation", lambda by, one: 1 / 0 if one == broken else whole(by, one))
    found = swept(lab)
    assert "unanswered_deviations" not in found and "hold_times" in found
    assert lab.deviations(second)[0].state == "classified" and lab.deviations(first)[0].state == "open"
    assert any("unanswered deviations" in each for each in heartbeats.missed([lab.place.site.pk]))


def test_a_silent_watch_shows_in_readiness_and_on_the_first_page(lab, client):
    assert client.get("/readyz").json()["sweeps"] is False
    boss = signed_in(lab.users["boss"])
    assert "The watch is silent." in boss.get("/alerts/panel/", HTTP_HX_REQUEST="true").content.decode()
    assert "The watch is silent." in boss.get("/alerts/watch/", HTTP_HX_REQUEST="true").content.decode()
    swept(lab)
    assert "The watch is silent." not in boss.get("/alerts/panel/", HTTP_HX_REQUEST="true").content.decode()


# --- pages ------------------------------------------------------------------------------------------------------------


def test_an_alert_is_read_and_acknowledged_on_its_page(lab, jobs):
    lot = lab.order()
    alert = raised(jobs, lot_id=lot.pk)
    boss = signed_in(lab.users["boss"])
    assert "Something is wrong" in boss.get("/alerts/").content.decode()
    page = boss.get(f"/alerts/{alert.pk}/").content.decode()
    assert "Acknowledge" in page and lot.check_code in page
    assert boss.post(f"/alerts/{alert.pk}/acknowledge/", {"seen": str(alert.version)}).status_code == 303
    assert fresh(lab, alert).state == "acknowledged"
    assert "Something is wrong" not in boss.get("/alerts/").content.decode()
    assert "Boss Demo" in boss.get("/alerts/?show=all").content.decode()
    assert signed_in(lab.users["maya"]).get("/alerts/").status_code == 403
