"""A deputy signs in the own name, under an authority that a second person approved, within its window (SIG-14)."""

import datetime as dt
import json
import uuid

import pytest
from django.db import connection
from django.test import Client

from mes.clock import record_now
from mes.errors import NotAllowed, RuleBroken, SigningRefused
from mes.people import services as people
from mes.people.models import Grant, Role, User
from mes.people.queries import live_grants
from mes.people.services import register
from mes.permissions import Permission
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.deputies import subject_of
from mes.signatures.models import DeputyAuthority, Signature
from mes.signatures.services import approve_deputy, propose_deputy, sign
from tests.builders.people import PASSWORD, open_place

pytestmark = pytest.mark.django_db
REVIEWS = "quality.review_lot"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


class Office:
    """An administrator, a chief with a role, her deputy, and somebody who approves access."""

    def __init__(self):
        self.place = open_place()
        self.admin = self.place.person("anna", [Permission.MANAGE_PEOPLE], secrets=True)
        self.chief = self.place.person("carla", [REVIEWS, "quality.certify_lot"], role="Head of QA", full_name="Carla Chief", secrets=True)
        self.deputy = self.place.person("dan", [Permission.READ_AUDIT], full_name="Dan Deputy", secrets=True)
        self.approver = self.place.person("quinn", [Permission.APPROVE_ACCESS], secrets=True)
        self.role = Role.objects.get(name="Head of QA")

    def propose(self, *, begins=-HOUR, ends=HOUR, by=None, deputy=None, principal=None):
        now = record_now()
        return propose_deputy(
            by=by or self.admin, deputy=self.user(deputy or self.deputy), principal=self.user(principal or self.chief), role=self.role,
            starts_at=now + begins, ends_at=now + ends, reason="Holiday",
        )  # fmt: skip

    def user(self, actor):
        return User.objects.get(pk=actor.user_id)

    def approve(self, authority, signer=None):
        signer = signer or self.approver
        with site_context(self.place.site.pk):
            what = subject_of(DeputyAuthority.objects.get(pk=authority.pk))
        return approve_deputy(by=signer, authority_id=authority.pk, proof=self.proof(signer, what, "approved_authority"))

    def proof(self, signer, what, meaning):
        intent = ceremony.prepare(signer, what, meaning)
        return ceremony.authenticate(by=signer, intent_id=intent.pk, username=signer.username, secret=PASSWORD)

    def sign(self, signer, meaning="reviewed"):
        what = ceremony.subject(self.user(self.chief), "person/1", {"lot": "L-1"})
        return sign(by=signer, proof=self.proof(signer, what, meaning), what=what, meaning=meaning, stream="person:x", permission=REVIEWS)

    def signed(self, meaning="reviewed"):
        with site_context(self.place.site.pk):
            return Signature.objects.filter(meaning=meaning).count()


@pytest.fixture
def office():
    return Office()


@pytest.mark.req("SIG-14", case="positive")
def test_a_deputy_signs_in_the_own_name_and_the_authority_is_shown(office):
    authority = office.approve(office.propose())
    signature = office.sign(office.deputy)
    assert (signature.full_name, signature.username) == ("Dan Deputy", "dan")
    begins = authority.starts_at.astimezone(dt.UTC)
    assert signature.role.startswith(f"Head of QA, deputy of Carla Chief, authority {authority.pk}, ")
    assert f"{begins.year}" in signature.role and " to " in signature.role
    assert signature.authority_id == authority.pk
    with site_context(office.place.site.pk):
        approval = Signature.objects.get(pk=authority.signature_id)
    assert (approval.username, approval.meaning, authority.approved_by_id) == ("quinn", "approved_authority", office.approver.user_id)


@pytest.mark.req("SIG-14", case="positive")
def test_who_holds_the_role_signs_without_an_authority(office):
    office.approve(office.propose())
    assert (office.sign(office.chief).role, office.sign(office.chief).authority_id) == ("Head of QA", None)


@pytest.mark.req("SIG-14", case="negative")
def test_nothing_is_signed_before_the_authority_is_approved(office):
    office.propose()
    with pytest.raises(SigningRefused, match="holds no role now"):
        office.sign(office.deputy)
    assert office.signed() == 0


@pytest.mark.req("SIG-14", case="negative")
def test_nothing_is_signed_before_the_window_begins(office):
    office.approve(office.propose(begins=HOUR, ends=2 * HOUR))
    with pytest.raises(SigningRefused, match="holds no role now"):
        office.sign(office.deputy)
    assert office.signed() == 0


@pytest.mark.req("SIG-14", case="negative")
def test_nothing_is_signed_after_the_window_ended(office):
    authority = office.approve(office.propose())
    people.end_grant(by=office.admin, grant_id=authority.grant_id, seen=1, reason="Back early")
    with pytest.raises(SigningRefused, match="holds no role now"):
        office.sign(office.deputy)
    with connection.cursor() as cursor:  # the database ends it by the clock as well as by hand
        cursor.execute("SELECT ends_at <= guard.record_now() FROM mes_grant WHERE id = %s", [authority.grant_id])
        assert cursor.fetchone() == (True,)
    assert office.signed() == 0


@pytest.mark.req("SIG-14", case="negative")
def test_a_deputy_certifies_nothing(office):
    office.approve(office.propose())
    what = ceremony.subject(office.user(office.chief), "person/1", {"lot": "L-1"})
    intent = ceremony.prepare(office.deputy, what, "certified_final")
    proof = ceremony.Proof(intent.pk, office.user(office.deputy), "certified_final", ("password",))
    with pytest.raises(SigningRefused) as refused:
        sign(by=office.deputy, proof=proof, what=what, meaning="certified_final", stream="person:x", permission="quality.certify_lot")
    assert refused.value.code == "not_for_deputies"
    assert office.signed("certified_final") == 0


@pytest.mark.req("SIG-14", case="negative")
def test_a_second_person_approves_neither_the_proposer_nor_the_deputy(office):
    bert = office.place.person("bert", [Permission.MANAGE_PEOPLE], secrets=True)
    authority = office.propose(by=bert)
    (held,) = Grant.objects.filter(user_id=bert.user_id)
    people.end_grant(by=office.place.setup, grant_id=held.pk, seen=held.version, reason="Moves to quality")
    people.grant_role(by=office.place.setup, user=office.user(bert), role=office.place.role([Permission.APPROVE_ACCESS]))
    with pytest.raises(NotAllowed) as refused:
        office.approve(authority, bert)
    assert refused.value.code == "same_person"
    deputy = office.place.person("dora", [Permission.APPROVE_ACCESS], secrets=True)
    own = office.propose(deputy=deputy)
    with pytest.raises(NotAllowed) as refused:
        office.approve(own, deputy)
    assert refused.value.code == "same_person"
    with pytest.raises(NotAllowed) as refused:
        office.approve(own, office.chief)
    assert refused.value.code == "not_your_role"
    office.approve(own)
    with pytest.raises(RuleBroken, match="approved already"):
        office.approve(own)
    with site_context(office.place.site.pk):
        assert DeputyAuthority.objects.filter(approved_by=None).count() == 1


@pytest.mark.req("SIG-14", case="negative")
def test_an_authority_that_makes_no_sense_is_not_proposed(office):
    cases = [
        ({"by": office.approver}, "not_your_role"), ({"deputy": office.chief}, "deputy_of_self"), ({"deputy": office.admin}, "own_rights"),
        ({"begins": HOUR, "ends": -HOUR}, "window_empty"), ({"begins": -2 * HOUR, "ends": -HOUR}, "window_empty"),
        ({"principal": office.approver}, "role_not_held"), ({"ends": 93 * DAY}, "window_too_long"),
    ]  # fmt: skip
    for more, code in cases:
        with pytest.raises(RuleBroken) as refused:
            office.propose(**more)
        assert refused.value.code == code
    with site_context(office.place.site.pk):
        assert DeputyAuthority.objects.count() == 0


@pytest.mark.req("SIG-14", case="negative")
def test_a_lent_role_is_not_lent_on(office):
    office.approve(office.propose())
    third = office.place.person("tom", [Permission.READ_AUDIT], secrets=True)
    with pytest.raises(RuleBroken) as refused:
        office.propose(principal=office.deputy, deputy=third)
    assert refused.value.code == "role_lent"
    with site_context(office.place.site.pk):
        assert DeputyAuthority.objects.count() == 1


@pytest.mark.req("SIG-14", case="negative")
def test_a_role_is_lent_no_longer_than_it_is_held_and_this_is_asked_again(office):
    waiting = office.propose(ends=2 * DAY)
    (held,) = Grant.objects.filter(user_id=office.chief.user_id)
    people.end_grant(by=office.admin, grant_id=held.pk, seen=held.version, reason="Leaves")
    with pytest.raises(RuleBroken) as refused:
        office.approve(waiting)
    assert refused.value.code == "role_not_held"
    people.grant_role(by=office.place.setup, user=office.user(office.chief), role=office.role, ends_at=record_now() + DAY)
    for attempt in (lambda: office.approve(waiting), lambda: office.propose(ends=2 * DAY)):
        with pytest.raises(RuleBroken) as refused:
            attempt()
        assert refused.value.code == "window_beyond_role"
    assert not Grant.objects.filter(user_id=office.deputy.user_id, role=office.role).exists()
    office.approve(office.propose(ends=HOUR))


@pytest.mark.req("SIG-14", case="negative")
@pytest.mark.parametrize("how", ["role", "account"])
def test_an_authority_gives_nothing_once_its_principal_lost_the_role(office, how):
    authority = office.approve(office.propose())
    (held,) = Grant.objects.filter(user_id=office.chief.user_id)
    if how == "role":
        people.end_grant(by=office.admin, grant_id=held.pk, seen=held.version, reason="Leaves")
        people.grant_role(by=office.place.setup, user=office.user(office.chief), role=office.role)  # a later role revives nothing
    else:
        chief = office.user(office.chief)
        people.close_account(by=office.admin, user_id=chief.pk, seen=chief.version, reason="Left the company")
    with pytest.raises(SigningRefused, match="holds no role now"):
        office.sign(office.deputy)
    assert Grant.objects.get(pk=authority.grant_id).ends_at <= record_now() and office.signed() == 0


@pytest.mark.req("SIG-14", case="negative")
@pytest.mark.req("ACC-06", case="negative")
def test_closing_an_account_ends_what_it_lent_at_another_site_too(office):
    home = open_place()
    boss = home.person("bea", [Permission.MANAGE_PEOPLE])
    cora = home.person("cora", full_name="Cora Chief")
    people.grant_role(by=office.place.setup, user=office.user(cora), role=office.role)
    authority = office.approve(office.propose(principal=cora))
    assert [each.pk for each in live_grants(office.deputy.user_id, office.place.site.pk) if each.role_id == office.role.pk] == [authority.grant_id]
    account = office.user(cora)
    people.close_account(by=boss, user_id=account.pk, seen=account.version, reason="Left the company")
    assert Grant.objects.get(pk=authority.grant_id).ends_at <= record_now(), "though the authority is not seen from there"
    assert not [each for each in live_grants(office.deputy.user_id, office.place.site.pk) if each.role_id == office.role.pk], "nor at sign-in"


@pytest.mark.req("SIG-14", case="negative")
def test_a_lent_role_is_not_in_force_beside_its_principals_even_where_nobody_ended_it(office, monkeypatch):
    authority = office.approve(office.propose())
    assert in_role(office) == [authority.grant_id]
    monkeypatch.setattr(register, "_end_what_was_lent", lambda principal_id, now: None)  # as an authority of an earlier version stands there
    (held,) = Grant.objects.filter(user_id=office.chief.user_id)
    people.end_grant(by=office.admin, grant_id=held.pk, seen=held.version, reason="Leaves")
    assert Grant.objects.get(pk=authority.grant_id).ends_at > record_now()
    assert in_role(office) == []


def in_role(office) -> list:
    """The grants by which the deputy holds the chief's role now, as a deed at the site sees them."""
    with site_context(office.place.site.pk):
        return [grant.pk for grant in live_grants(office.deputy.user_id) if grant.role_id == office.role.pk]


def browser(username):
    client = Client()
    client.post("/sign-in/", {"username": username, "password": PASSWORD})
    return client


@pytest.mark.req("SIG-14", case="positive")
def test_a_deputy_is_proposed_and_approved_on_pages(office):
    now = record_now()
    typed = {
        "deputy": "dan", "principal": "carla", "role": office.role.pk, "reason": "Holiday",
        "starts_at": f"{now - DAY:%Y-%m-%dT08:00}", "ends_at": f"{now + 30 * DAY:%Y-%m-%dT08:00}",
    }  # fmt: skip
    assert browser("anna").post("/people/deputies/", typed).status_code == 303
    with site_context(office.place.site.pk):
        authority = DeputyAuthority.objects.get()
    assert "Waits for a second person" in browser("anna").get("/people/deputies/").content.decode()
    quinn = browser("quinn")
    address = f"/people/deputies/{authority.pk}/approve/"
    page = quinn.get(address).content.decode()
    assert "Dan Deputy (dan)" in page and "Carla Chief" in page and "Holiday" in page
    intent = page.split('name="intent" value="')[1].split('"')[0]
    assert quinn.post(address, {"intent": intent, "who": "quinn", "secret": PASSWORD}).status_code == 303
    assert "in force" in quinn.get("/people/deputies/").content.decode()
    assert Grant.objects.filter(user_id=office.deputy.user_id, role=office.role).count() == 1
    assert "dan" not in browser("dan").get(address).content.decode().split("<main")[-1] or browser("dan").get(address).status_code == 403


@pytest.mark.req("SIG-14", case="positive")
def test_a_deputy_is_proposed_and_approved_over_the_api(office):
    def post(client, path, body):
        return client.post(path, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": str(uuid.uuid4())})

    now = record_now()
    body = {
        "deputy": "dan", "principal": "carla", "role": office.role.code, "reason": "Holiday",
        "starts_at": f"{now - DAY:%Y-%m-%dT08:00:00Z}", "ends_at": f"{now + 30 * DAY:%Y-%m-%dT08:00:00Z}",
    }  # fmt: skip
    assert post(browser("dan"), "/api/v1/deputies/", body).status_code == 403
    made = post(browser("anna"), "/api/v1/deputies/", body).json()
    assert (made["deputy"], made["approved_by"]) == ("dan", "")
    quinn = browser("quinn")
    prepared = quinn.get(f"/api/v1/deputies/{made['id']}/approve/sign/").json()
    post(quinn, f"/api/v1/deputies/{made['id']}/approve/sign/", {"intent": prepared["intent"], "username": "quinn", "secret": PASSWORD})
    assert browser("dan").get("/api/v1/deputies/").json()[0]["approved_by"] == "quinn"
