"""An anchor that is overdue, cannot be written or finds something else is told, once, and stays told until it is mended."""

import datetime as dt
import time

import pytest

from mes import clock
from mes.checkpoints import overdue
from quality.alerts import heartbeats, services
from quality.tasks import sweep_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_once(monkeypatch):
    """Whatever has no anchor is overdue: nobody can wait a quarter of an hour in a test, and no row can be back-dated."""
    monkeypatch.setattr(overdue, "ALLOWED", dt.timedelta(0))


@pytest.fixture
def no_folder(settings, tmp_path):
    """A place of anchors that cannot be written to, not even by root."""
    (tmp_path / "file").write_text("no folder")
    settings.ANCHORS_FOLDER = tmp_path / "file" / "anchors"


def told(lab) -> list[str]:
    return sorted(alert.cause for alert in lab.alerts(cause__startswith="anchor_"))


@pytest.mark.req("AUD-08", case="positive")
def test_anchors_that_keep_up_are_not_told(lab, client, at_once):
    sweep_site(lab.place.site)

    assert client.get("/readyz").json()["anchors"] is True
    assert told(lab) == []


@pytest.mark.req("AUD-08", case="negative")
def test_what_is_written_and_not_anchored_in_time_is_told_by_readiness(lab, client, at_once):
    answer = client.get("/readyz")

    assert answer.json()["anchors"] is False and answer.status_code == 200, "capture goes on; the watch is told"


def test_what_is_not_anchored_yet_but_in_time_is_not_told(lab, client):
    assert client.get("/readyz").json()["anchors"] is True


@pytest.mark.req("AUD-08", case="negative")
def test_a_place_that_cannot_be_written_raises_one_alarm_for_however_many_sweeps(lab, client, at_once, no_folder):
    for _ in range(3):
        found = sweep_site(lab.place.site)

    assert "checkpoints" not in found
    assert told(lab) == ["anchor_overdue:write_once_folder:0", "anchor_unwritable:0"]
    assert all(alert.severity == "alarm" for alert in lab.alerts(cause__startswith="anchor_"))
    assert any("checkpoints" in each for each in heartbeats.missed([lab.place.site.pk]))
    assert client.get("/readyz").json()["anchors"] is False


@pytest.mark.req("AUD-08", case="negative")
def test_an_acknowledged_alarm_is_not_raised_again_but_the_next_failure_is(lab, client, at_once, no_folder, settings, tmp_path):
    sweep_site(lab.place.site)
    for alert in lab.alerts(cause__startswith="anchor_"):
        services.acknowledge(by=lab.by("boss"), alert_id=alert.pk, seen=alert.version)
    sweep_site(lab.place.site)
    assert {alert.state for alert in lab.alerts(cause__startswith="anchor_")} == {"acknowledged"}
    assert client.get("/readyz").json()["anchors"] is False, "taking note mends nothing"

    broken, settings.ANCHORS_FOLDER = settings.ANCHORS_FOLDER, tmp_path / "mended"
    sweep_site(lab.place.site)
    assert client.get("/readyz").json()["anchors"] is True
    settings.ANCHORS_FOLDER = broken
    lab.order()
    sweep_site(lab.place.site)

    assert "anchor_overdue:write_once_folder:1" in told(lab)


@pytest.mark.req("AUD-08", case="negative")
def test_a_folder_that_holds_something_else_is_told_as_such(lab, settings):
    place = settings.ANCHORS_FOLDER / lab.place.site.code
    place.mkdir(parents=True)
    (place / "00000001.checkpoint").write_text("another past")

    assert "checkpoints" not in sweep_site(lab.place.site)

    (alert,) = lab.alerts(cause__startswith="anchor_")
    assert alert.cause == "anchor_altered:0" and "Somebody wrote there" in alert.body
    assert (place / "00000001.checkpoint").read_text() == "another past", "what lies there is never overwritten"


# --- the clock of the host, which every anchor and signature goes by ------------------------------------------------------


@pytest.mark.req("AUD-13", case="negative")
def test_a_clock_that_drifted_raises_one_alarm_a_day(lab, monkeypatch):
    assert "clock_drift" in sweep_site(lab.place.site) and not lab.alerts(cause__startswith="clock_drift")
    monkeypatch.setattr(clock, "host_seconds", lambda: time.time() - 30)
    for _ in range(2):
        sweep_site(lab.place.site)

    (alarm,) = lab.alerts(cause__startswith="clock_drift")
    assert alarm.severity == "alarm" and "30.0 s behind" in alarm.title
