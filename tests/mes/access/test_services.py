"""The access register as of any moment, its signed review, and closing an account (ACC-06)."""

import datetime as dt
import json
import uuid

import pytest
from django.test import Client

from mes.access import queries
from mes.access.models import AccessReview
from mes.access.services import review_access
from mes.clock import record_now
from mes.errors import NotAllowed, RuleBroken, StaleRecord
from mes.events import Event
from mes.people import services as people
from mes.people.models import Grant, User
from mes.people.setup import system_actor
from mes.permissions import Permission
from mes.records import door
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.models import Signature
from tests.builders.people import PASSWORD, PIN, open_place

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return open_place()


@pytest.fixture
def admin(place):
    return place.person("anna", [Permission.MANAGE_PEOPLE], role="Administrator", secrets=True)


@pytest.fixture
def quinn(place):
    return place.person("quinn", [Permission.APPROVE_ACCESS, Permission.READ_AUDIT], role="QA", secrets=True)


def roles_at(place, at):
    with site_context(place.site.pk):
        return {(each.username, each.role, each.permissions) for each in queries.register_as_of(place.site.pk, at)}


def subject(place, result, findings=""):
    from mes.people.models import Site

    with site_context(place.site.pk):
        return queries.review_subject(Site.objects.get(pk=place.site.pk), queries.register_as_of(place.site.pk, record_now()), result, findings)


def proven(place, by, result="confirmed", findings="All as expected"):
    intent = ceremony.prepare(by, subject(place, result, findings), "reviewed_access")
    return ceremony.authenticate(by=by, intent_id=intent.pk, username=by.username, secret=PASSWORD)


def browser(username):
    client = Client()
    client.post("/sign-in/", {"username": username, "password": PASSWORD})
    return client


@pytest.mark.req("ACC-06", case="positive")
def test_the_register_tells_who_held_what_at_any_past_moment(place, admin):
    before = record_now()
    ben = place.person("ben", ["batches.record_values"], role="Operator")
    with_role = record_now()
    (grant,) = Grant.objects.filter(user_id=ben.user_id)
    people.end_grant(by=admin, grant_id=grant.pk, seen=grant.version, reason="Moved")
    ended = record_now()
    operator = ("ben", "Operator", ("batches.record_values",))
    assert operator not in roles_at(place, before)
    assert operator in roles_at(place, with_role)
    assert operator not in roles_at(place, ended)
    # A dated role that was cut short later was in force at the moment asked for.
    again = people.grant_role(by=admin, user=User.objects.get(pk=ben.user_id), role=grant.role, ends_at=record_now() + dt.timedelta(days=9))
    while_dated = record_now()
    people.end_grant(by=admin, grant_id=again.pk, seen=again.version, reason="Cut short")
    assert operator in roles_at(place, while_dated) and operator not in roles_at(place, record_now())


@pytest.mark.req("ACC-06", case="positive")
def test_a_review_is_signed_over_every_line(place, admin, quinn):
    review = review_access(by=quinn, proof=proven(place, quinn), result="confirmed", reason="All as expected")
    with site_context(place.site.pk):
        signature = Signature.objects.select_related("payload").get(pk=review.signature_id)
        due = queries.review_due(place.site.pk)
    content = json.loads(bytes(signature.payload.content))["content"]
    assert {(line["username"], line["role"]) for line in content["lines"]} == {("anna", "Administrator"), ("quinn", "QA")}
    assert (review.lines, review.result, review.findings, content["result"]) == (2, "confirmed", "All as expected", "confirmed")
    assert content["findings"] == "All as expected"
    assert due - review.recorded_at == dt.timedelta(days=182)


@pytest.mark.req("ACC-06", case="negative")
def test_access_that_changed_while_it_was_reviewed_is_not_signed(place, quinn):
    proof = proven(place, quinn)
    place.person("ben", ["batches.record_values"])
    with pytest.raises(StaleRecord):
        review_access(by=quinn, proof=proof, result="confirmed", reason="All as expected")
    with site_context(place.site.pk):
        assert not AccessReview.objects.exists()


@pytest.mark.req("SIG-06", case="negative")
def test_what_a_review_found_is_what_was_signed(place, quinn):
    with pytest.raises(StaleRecord):
        review_access(by=quinn, proof=proven(place, quinn, "changes", "One role too many"), result="changes", reason="All as expected")


@pytest.mark.req("ACC-06", case="negative")
def test_whoever_gives_access_does_not_review_it_and_a_review_says_something(place, admin, quinn):
    with pytest.raises(NotAllowed):
        review_access(by=admin, proof=proven(place, admin), result="confirmed", reason="All as expected")
    for result, words, code in (("perfect", "All as expected", "result_unknown"), ("confirmed", " ", "findings_missing")):
        with pytest.raises(RuleBroken) as refused:
            review_access(by=quinn, proof=proven(place, quinn, result, words), result=result, reason=words)
        assert refused.value.code == code
    with site_context(place.site.pk):
        assert not AccessReview.objects.exists()


@pytest.mark.req("ACC-06", case="negative")
def test_an_overdue_review_raises_one_alert(place, quinn, monkeypatch):
    from quality import watch
    from quality.alerts.models import Alert

    jobs = system_actor(place.site.pk)
    assert watch.overdue_access_reviews(jobs) == 0
    much_later = record_now() + dt.timedelta(days=183)
    monkeypatch.setattr("mes.clock.record_now", lambda: much_later)
    assert watch.overdue_access_reviews(jobs) == watch.overdue_access_reviews(jobs) == 1
    with site_context(place.site.pk):
        (alert,) = Alert.objects.filter(cause__startswith="access_review:")
    assert "access register was due" in alert.title and "qa_reviewer" in alert.roles
    assert "Overdue" in browser("quinn").get("/people/access/").content.decode()


@pytest.mark.req("ACC-06", case="positive")
def test_the_register_is_shown_and_reviewed_on_pages_and_over_the_api(place, admin, quinn):
    client = browser("quinn")
    before = record_now()
    place.person("ben", ["batches.record_values"], role="Operator")
    assert "Operator" in client.get("/people/access/").content.decode()
    assert "Operator" not in client.get("/people/access/", {"at": before.isoformat()}).content.decode()
    assert client.get("/people/access/", {"at": "yesterday"}).status_code == 422
    names = {line["username"] for line in client.get("/api/v1/access-register/", {"at": before.isoformat()}).json()}
    assert names == {"anna", "quinn"}
    page = client.get("/people/access/review/changes/").content.decode()
    intent = page.split('name="intent" value="')[1].split('"')[0]
    typed = {"intent": intent, "who": "quinn", "secret": PASSWORD, "reason": "Ben left last week"}
    assert client.post("/people/access/review/changes/", typed).status_code == 303
    prepared = client.get("/api/v1/access-reviews/confirmed/sign/").json()
    body = {"intent": prepared["intent"], "username": "quinn", "secret": PASSWORD, "reason": "Corrected"}
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    assert client.post("/api/v1/access-reviews/confirmed/sign/", json.dumps(body), content_type="application/json", headers=headers).status_code == 201
    assert [line["result"] for line in client.get("/api/v1/access-reviews/").json()] == ["confirmed", "changes"]


# --- closing an account -----------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-06", case="negative")
def test_a_closed_account_ends_both_sessions_and_the_token_at_once(place, admin):
    ben = place.person("ben", ["batches.record_values"], secrets=True)
    one, two = browser("ben"), browser("ben")
    assert one.get("/api/v1/me/").status_code == two.get("/api/v1/me/").status_code == 200
    _, token = place.device("counter", ["batches.post_readings"])
    called = Client(headers={"Authorization": f"Bearer {token}"})
    assert called.get("/api/v1/me/").status_code == 200
    client = browser("anna")
    seen = User.objects.get(pk=ben.user_id).version
    assert client.post(f"/people/{ben.user_id}/close/", {"seen": seen, "reason": "Left the company"}).status_code == 303
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    closed = client.post("/api/v1/people/counter/close/", json.dumps({"reason": "Scrapped"}), content_type="application/json", headers=headers)
    assert closed.json() == {"username": "counter", "is_active": False}
    assert [each.get("/api/v1/me/").status_code for each in (one, two, called)] == [401, 401, 401]
    with pytest.raises(RuleBroken, match="never used again"):
        people.enrol_person(by=admin, username="BEN", full_name="Ben Again")
    assert not Grant.objects.filter(user_id=ben.user_id, ends_at=None).exists()


@pytest.mark.req("ACC-06", case="negative")
def test_an_account_is_closed_by_another_administrator_once(place, admin, quinn):
    own = User.objects.get(pk=admin.user_id)
    with pytest.raises(NotAllowed, match="their own account"):
        people.close_account(by=admin, user_id=own.pk, seen=own.version, reason="x")
    with pytest.raises(NotAllowed, match="may not"):
        people.close_account(by=quinn, user_id=own.pk, seen=own.version, reason="x")
    user = people.close_account(by=admin, user_id=quinn.user_id, seen=User.objects.get(pk=quinn.user_id).version, reason="Left")
    with pytest.raises(RuleBroken, match="closed before"):
        people.close_account(by=admin, user_id=user.pk, seen=user.version, reason="Left")


# --- duties that are kept apart (ACC-07) ------------------------------------------------------------------------------


@pytest.mark.req("ACC-07", case="negative")
def test_every_conflicting_pair_is_refused_at_grant_and_in_one_role(place):
    from mes.people.segregation import CONFLICTS

    for number, conflict in enumerate(CONFLICTS):
        one, other = (pattern.replace("*", "read_lots") for pattern in (conflict.one, conflict.other))
        with pytest.raises(RuleBroken) as refused:
            place.role([one, other])
        assert refused.value.code == conflict.code
        user, role = User.objects.get(pk=place.person(f"p{number}", [one]).user_id), place.role([other])
        with pytest.raises(NotAllowed) as refused:
            people.grant_role(by=place.setup, user=user, role=role)
        assert refused.value.code == conflict.code


@pytest.mark.req("ACC-07", case="negative")
def test_a_role_is_not_given_beside_one_that_only_begins_later(place):
    user = User.objects.get(pk=place.person("p", ["mes.read_audit"]).user_id)
    later = place.role(["quality.certify_lot"])

    def insert(*, by):
        grant = Grant(site_id=by.site_id, user=user, role=later, starts_at=door.deed_now().at + dt.timedelta(days=1), given_by_id=by.user_id)
        grant.save()
        return grant

    door._run(door.Deed(by=place.setup), Event.GRANT_GIVEN, insert, {})
    with pytest.raises(NotAllowed) as refused:
        people.grant_role(by=place.setup, user=user, role=place.role(["quality.record_results"]))
    assert refused.value.code == "tester_certifies"


@pytest.mark.req("ACC-07", case="positive")
def test_the_roles_a_site_opens_with_hold_no_conflict():
    from mes.people.segregation import conflict_in
    from quality.roles import ROLES

    assert {code: conflict_in([str(each) for each in permissions]) for code, (_, permissions) in ROLES.items()} == dict.fromkeys(ROLES)


# --- who is locked out is told to others (SIG-12) -----------------------------------------------------------------------


@pytest.mark.req("SIG-12", case="negative")
def test_wrong_secrets_over_two_sessions_lock_with_one_alert_and_only_somebody_else_unlocks(place, admin):
    from mes.errors import SigningRefused
    from mes.people.models import PersonLock
    from quality import watch
    from quality.alerts.models import Alert

    ben = place.person("ben", ["batches.record_values"], secrets=True)
    sessions = [ben, ben.at_station("desk-2")]

    def attempt(by, secret):
        what = ceremony.subject(User.objects.get(pk=ben.user_id), "person/1", {"text": "x"})
        return ceremony.authenticate(by=by, intent_id=ceremony.prepare(by, what, "performed").pk, username="ben", secret=secret)

    for number in range(5):
        with pytest.raises(SigningRefused, match="That PIN is not"):
            attempt(sessions[number % 2], "000000")
    for by in sessions:
        with pytest.raises(SigningRefused, match="locked out"):
            attempt(by, PIN)
    jobs = system_actor(place.site.pk)
    assert watch.locked_people(jobs) == watch.locked_people(jobs) == 1
    with site_context(place.site.pk):
        assert Alert.objects.filter(cause__startswith="person_locked:").count() == 1
    (lock,) = PersonLock.objects.filter(user_id=ben.user_id)
    with pytest.raises(NotAllowed):
        people.unlock_person(by=ben, lock_id=lock.pk, seen=lock.version, reason="It was me")
    assert PersonLock.objects.get(pk=lock.pk).open
