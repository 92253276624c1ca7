"""The clock of the server against that of the database: beyond the limit nobody signs, and readiness says so. AUD-13."""

import datetime as dt
import time

import pytest

from mes import clock, env
from mes.errors import SigningRefused
from mes.people.models import User
from mes.permissions import Permission
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures import ceremony
from mes.signatures.models import SigningIntent
from tests.builders.people import PIN, open_place

pytestmark = pytest.mark.django_db


@pytest.fixture
def ahead(monkeypatch):
    """Set this host's clock ahead by seconds, as far as the product can tell; nothing else can on a shared machine."""

    def move(seconds: float) -> None:
        monkeypatch.setattr(clock, "host_seconds", lambda: time.time() + seconds)

    return move


@pytest.fixture
def ben():
    return open_place().person("ben", [Permission.READ_AUDIT], role="Operator", full_name="Ben Adler", secrets=True)


def sign(ben) -> ceremony.Proof:
    what = ceremony.subject(User.objects.get(pk=ben.user_id), "person/1", {"full_name": "Ben Adler"})
    intent = ceremony.prepare(ben, what, "performed")
    return ceremony.authenticate(by=ben, intent_id=intent.pk, username="ben", secret=PIN)


@pytest.mark.req("AUD-13", case="positive")
@pytest.mark.parametrize("seconds", [0, 3, -3])
def test_a_clock_within_the_limit_signs(ben, ahead, seconds):
    ahead(seconds)

    assert sign(ben).user.username == "ben"


@pytest.mark.req("AUD-13", case="negative")
@pytest.mark.parametrize(("seconds", "words"), [(30, "ahead of the database's"), (-30, "behind the database's")])
def test_beyond_the_limit_nobody_signs_and_the_attempt_is_kept(ben, ahead, seconds, words):
    ahead(seconds)

    with pytest.raises(SigningRefused) as refused:
        sign(ben)

    assert refused.value.code == "clock_drift" and words in refused.value.sentence
    assert SigningIntent.objects.filter(used_at=None).count() == 1
    with site_context(ben.site_id):
        (event,) = SecurityEvent.objects.filter(code="clock_drift")
    assert event.kind == "signing_refused" and event.username == "ben"
    ahead(0)
    assert sign(ben).user.username == "ben", "nothing was counted against the person"


@pytest.mark.req("AUD-13", case="negative")
def test_readiness_tells_a_clock_that_drifted(client, ahead, settings):
    assert client.get("/readyz").json()["clock"] is True
    ahead(30)
    answer = client.get("/readyz")
    assert answer.json()["clock"] is False and answer.status_code == 200, "values are recorded with the database's time"
    settings.CLOCK_DRIFT_LIMIT = dt.timedelta(seconds=60)
    assert client.get("/readyz").json()["clock"] is True


def test_no_more_drift_is_claimed_than_is_certain(monkeypatch):
    """A slow answer is no drift: the database's time lies between asking and hearing."""
    seconds = iter([time.time() - 20, time.time() + 20])
    monkeypatch.setattr(clock, "host_seconds", lambda: next(seconds))

    assert clock.drift() == dt.timedelta(0)


@pytest.mark.req("AUD-13", case="negative")
@pytest.mark.parametrize("seconds", ["0", "3600"])
def test_a_limit_that_limits_nothing_stops_the_start(seconds):
    found = env.refusals(env.read({"CARTULARY_MODE": "production", "CARTULARY_SECRET_KEY": "x", "CARTULARY_CLOCK_DRIFT_SECONDS": seconds}))

    assert any("CARTULARY_CLOCK_DRIFT_SECONDS" in sentence for sentence in found)
