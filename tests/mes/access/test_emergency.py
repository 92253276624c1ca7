"""Access for support or an emergency: two persons open it, it ends at its hour, it signs nothing, and it is reviewed (ACC-09)."""

import datetime as dt
import time

import pytest
from django.test import Client

from mes.access import queries
from mes.access.models import EmergencyAccess
from mes.access.services import approve_emergency_access, ask_for_emergency_access, review_emergency_access
from mes.clock import record_now
from mes.errors import NotAllowed, RuleBroken, SigningRefused
from mes.people import services as people
from mes.people.models import Grant, Role, User
from mes.people.rules import may
from mes.people.setup import system_actor
from mes.permissions import Permission
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import MEANINGS
from mes.signatures.services import sign
from tests.builders.people import PASSWORD, open_place

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


class House:
    """An administrator, somebody of quality who approves access, and a vendor's engineer with nothing."""

    def __init__(self):
        self.place = open_place()
        self.anna = self.place.person("anna", [Permission.MANAGE_PEOPLE], secrets=True)
        self.quinn = self.place.person("quinn", [Permission.APPROVE_ACCESS, Permission.READ_AUDIT], secrets=True)
        self.vic = self.place.person("vic", secrets=True)
        self.support = self.place.role([Permission.READ_AUDIT], "Support")

    def ask(self, *, by=None, user=None, role=None, lasts=HOUR):
        user = User.objects.get(pk=(user or self.vic).user_id)
        return ask_for_emergency_access(by=by or self.anna, user=user, role=role or self.support, lasts=lasts, reason="Printer queue stands still")

    def open(self, access, by=None):
        return approve_emergency_access(by=by or self.quinn, access_id=access.pk, seen=access.version)

    def end(self, access):
        people.end_grant(by=self.anna, grant_id=access.grant_id, seen=1, reason="Done")

    def reads(self):
        return may(self.vic.user_id, Permission.READ_AUDIT, self.place.site.pk)


@pytest.fixture
def house():
    return House()


def browser(username):
    client = Client()
    client.post("/sign-in/", {"username": username, "password": PASSWORD})
    return client


@pytest.mark.req("ACC-09", case="positive")
def test_two_persons_open_access_that_ends_by_itself_and_is_reviewed(house):
    access = house.ask()
    assert not house.reads()
    access = house.open(access)
    assert house.reads() and access.grant.ends_at == access.ends_at and access.ends_at - access.starts_at == HOUR
    house.end(access)
    assert not house.reads()
    reviewed = review_emergency_access(by=house.quinn, access_id=access.pk, seen=access.version, reason="Only the queue was looked at")
    assert (reviewed.reviewed_by_id, reviewed.findings) == (house.quinn.user_id, "Only the queue was looked at")


@pytest.mark.req("ACC-09", case="negative")
def test_one_person_alone_opens_nothing(house):
    access = house.ask()
    for by, code in ((house.anna, "not_your_role"), (house.vic, "not_your_role")):
        with pytest.raises(NotAllowed) as refused:
            house.open(access, by)
        assert refused.value.code == code
    people.grant_role(by=house.place.setup, user=User.objects.get(pk=house.quinn.user_id), role=house.place.role(["mes.unlock_people"]))
    with pytest.raises(NotAllowed, match="for themselves"):
        house.ask(user=house.anna)
    bert = house.place.person("bert", [Permission.MANAGE_PEOPLE])
    other = house.ask(by=bert)
    (held,) = Grant.objects.filter(user_id=bert.user_id)
    people.end_grant(by=house.place.setup, grant_id=held.pk, seen=held.version, reason="Moves to quality")
    people.grant_role(by=house.place.setup, user=User.objects.get(pk=bert.user_id), role=house.place.role([Permission.APPROVE_ACCESS]))
    with pytest.raises(NotAllowed, match="takes two persons"):
        house.open(other, bert)
    assert not house.reads()


@pytest.mark.req("ACC-09", case="negative")
def test_access_is_not_longer_than_a_shift_and_not_opened_twice(house):
    for lasts in (dt.timedelta(hours=9), dt.timedelta(0), -HOUR):
        with pytest.raises(RuleBroken, match="8 hours at most"):
            house.ask(lasts=lasts)
    access = house.open(house.ask())
    with pytest.raises(RuleBroken, match="opened before"):
        house.open(access)


@pytest.mark.req("ACC-09", case="negative")
def test_after_its_hour_it_opens_nothing_and_is_not_opened_late(house, monkeypatch):
    access = house.ask()
    monkeypatch.setattr("mes.access.services.deed_now", lambda: type("Deed", (), {"at": access.ends_at + HOUR})())
    with pytest.raises(RuleBroken, match="has passed"):
        house.open(access)
    assert not house.reads()


@pytest.mark.req("ACC-09", case="negative")
def test_access_ends_by_itself_and_nobody_has_to_end_it(house):
    second = dt.timedelta(seconds=1)
    access = house.open(house.ask(lasts=second))
    assert house.reads()
    time.sleep(second.total_seconds())
    assert record_now() >= access.ends_at and not house.reads()


@pytest.mark.req("ACC-09", case="negative")
def test_neither_the_role_nor_the_person_could_sign_with_it(house):
    for meaning in MEANINGS.values():
        for right in meaning.used_by:
            with pytest.raises(NotAllowed) as refused:
                house.ask(role=house.place.role([right]))
            assert refused.value.code == "signing_right"
    ben = house.place.person("ben", ["batches.record_values"])
    with pytest.raises(NotAllowed, match="could sign"):
        house.ask(user=ben)
    house.open(house.ask())
    vic = User.objects.get(pk=house.vic.user_id)
    what = ceremony.subject(vic, "person/1", {"text": "x"})
    for meaning in ("performed", "reviewed", "certified_final"):
        proof = ceremony.Proof(ceremony.prepare(house.vic, what, meaning).pk, vic, meaning, ("password",))
        with pytest.raises(SigningRefused) as refused:
            sign(by=house.vic, proof=proof, what=what, meaning=meaning, stream="person:x")
        assert refused.value.code == "not_your_role"


@pytest.mark.req("ACC-09", case="negative")
def test_it_is_reviewed_by_another_once_it_has_ended(house):
    access = house.open(house.ask())

    def review(by, reason="Looked at"):
        return review_emergency_access(by=by, access_id=access.pk, seen=access.version, reason=reason)

    with pytest.raises(RuleBroken, match="once it has ended"):
        review(house.quinn)
    house.end(access)
    with pytest.raises(NotAllowed, match="may not"):
        review(house.anna)
    people.grant_role(by=house.place.setup, user=User.objects.get(pk=house.vic.user_id), role=house.place.role([Permission.APPROVE_ACCESS]))
    with pytest.raises(NotAllowed, match="does not review it"):
        review(house.vic)
    with pytest.raises(RuleBroken, match="Say in words"):
        review(house.quinn, " ")
    with site_context(house.place.site.pk):
        assert EmergencyAccess.objects.get().reviewed_by_id is None


@pytest.mark.req("ACC-09", case="negative")
def test_an_unreviewed_access_shows_as_overdue_and_raises_an_alert(house, monkeypatch):
    from quality import watch
    from quality.alerts.models import Alert

    access = house.open(house.ask())
    house.end(access)
    jobs = system_actor(house.place.site.pk)
    assert "Waits for its review" in browser("quinn").get("/people/emergency/").content.decode()
    assert watch.overdue_access_reviews(jobs) == 0
    later = record_now() + dt.timedelta(days=4)
    monkeypatch.setattr("mes.clock.record_now", lambda: later)
    assert watch.overdue_access_reviews(jobs) == 1
    assert "Review overdue" in browser("quinn").get("/people/emergency/").content.decode()
    with site_context(house.place.site.pk):
        assert Alert.objects.filter(cause=f"emergency_access:{access.pk}").count() == 1
        assert [each.pk for each in queries.unreviewed_emergencies(house.place.site.pk, later)] == [access.pk]


@pytest.mark.req("ACC-09", case="positive")
def test_it_is_asked_for_opened_and_reviewed_on_pages(house):
    anna, quinn = browser("anna"), browser("quinn")
    typed = {"who": "vic", "role": house.support.pk, "hours": "2", "reason": "Printer queue stands still"}
    assert quinn.post("/people/emergency/", typed).status_code == 403
    assert anna.post("/people/emergency/", typed).status_code == 303
    with site_context(house.place.site.pk):
        access = EmergencyAccess.objects.get()
    assert anna.post(f"/people/emergency/{access.pk}/open/", {"seen": access.version}).status_code == 403
    assert quinn.post(f"/people/emergency/{access.pk}/open/", {"seen": access.version}).status_code == 303
    assert house.reads()
    with site_context(house.place.site.pk):
        access = EmergencyAccess.objects.get()
    house.end(access)
    assert quinn.post(f"/people/emergency/{access.pk}/review/", {"seen": access.version, "reason": "Looked at the queue"}).status_code == 303
    assert "reviewed by Quinn" in quinn.get("/people/emergency/").content.decode()


# --- inspectors -------------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-09", case="negative")
@pytest.mark.parametrize("code", ["inspector", "support"])
def test_an_inspectors_role_is_given_with_its_hour_reads_only_and_ends_the_session_at_it(house, code):
    from quality.roles import ROLES

    name, permissions = ROLES[code]
    assert not {str(each) for each in permissions} & {right for meaning in MEANINGS.values() for right in meaning.used_by}
    role = people.define_role(by=house.place.setup, code=code, name=name, permissions=permissions)
    user = User.objects.get(pk=house.vic.user_id)
    with pytest.raises(RuleBroken, match="with an end"):
        people.grant_role(by=house.anna, user=user, role=role)
    grant = people.grant_role(by=house.anna, user=user, role=role, ends_at=record_now() + HOUR)
    client = browser("vic")
    assert client.get("/audit/").status_code == 200
    people.end_grant(by=house.anna, grant_id=grant.pk, seen=grant.version, reason="Left early")
    assert client.get("/audit/").status_code == 302  # the session ended with the role


@pytest.mark.req("ACC-09", case="positive")
def test_an_administrator_gives_an_inspector_a_day_and_an_hour(house):
    from quality.roles import ROLES

    name, permissions = ROLES["inspector"]
    role = people.define_role(by=house.place.setup, code="inspector", name=name, permissions=permissions)
    anna, address = browser("anna"), f"/people/{house.vic.user_id}/roles/"
    assert anna.post(address, {"role": role.pk}).status_code == 409
    assert anna.post(address, {"role": role.pk, "until": "2999-03-02", "hour": "17:30"}).status_code == 303
    grant = Grant.objects.get(user_id=house.vic.user_id)
    assert grant.ends_at.isoformat() == "2999-03-02T16:30:00+00:00"  # 17:30 at the site, in Berlin
    assert Role.objects.filter(code="inspector").count() == 1
