"""The register: enrolling, roles, training, locks, tokens, and what nobody may do alone."""

import re

import pytest
from django.test import Client

from mes.audit.models import AuditRow
from mes.people import rules, services
from mes.people.models import DeviceCredential, Grant, IdentityCheck, PersonLock, Qualification, User
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.staff import PASSWORD, open_site, signed_in

pytestmark = pytest.mark.django_db
JOIN = {"new": "another long password 31", "again": "another long password 31", "pin": "739164", "pin_again": "739164"}


@pytest.fixture
def olga(place):
    return place.person("olga", "administrator")


@pytest.fixture
def admin(olga):
    return signed_in(olga)


@pytest.fixture
def maya(place):
    return place.person("maya", "operator")


def give(client, user, role):
    return client.post(f"/people/{user.pk}/roles/", {"role": str(role.pk)})


# --- who may open it -------------------------------------------------------------------------------------------------


def test_the_register_lists_people_roles_and_locks(place, admin, maya):
    services.lock_person(by=place.setup, user_id=maya.pk, why="wrong secrets in a row")
    text = admin.get("/people/").content.decode()
    assert "Maya" in text and "Operator" in text and "Locked out" in text


@pytest.mark.req("ACC-02", case="negative")
def test_an_operator_does_not_open_the_register_and_the_attempt_is_logged(place, maya):
    answer = signed_in(maya).get("/people/")
    assert answer.status_code == 403 and "may not open this page" in answer.content.decode()
    with site_context(place.site.pk):
        assert SecurityEvent.objects.get().code == "not_your_role"


@pytest.mark.req("ACC-02", case="negative")
def test_a_person_of_another_site_is_not_found(admin):
    stranger = open_site("GRO", "Groningen").person("sander", "operator")
    assert admin.get(f"/people/{stranger.pk}/").status_code == 404


# --- enrolling and joining -------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-01", case="positive")
def test_an_administrator_enrols_somebody_who_then_sets_their_own_secrets(place, admin):
    supervisor = place.person("sofia", "supervisor")
    answer = admin.post("/people/new/", {"kind": "person", "full_name": "Jonas Lindqvist", "username": "jonas", "badge": "B-0002"})
    jonas = User.objects.get(username="jonas")
    assert answer.url == f"/people/{jonas.pk}/"
    give(admin, jonas, place.role("operator"))
    link = link_of(admin.post(f"/people/{jonas.pk}/link/", {"reason": "New operator"}))
    text = Client().get(link).content.decode()
    assert "Jonas Lindqvist" in text
    joined = Client().post(link, JOIN | {"witness": "sofia", "witness_password": PASSWORD})
    assert joined.status_code == 303
    assert Client().post("/sign-in/", {"username": "jonas", "password": JOIN["new"]}).status_code == 302
    assert IdentityCheck.objects.get(user=jonas).by_id == supervisor.pk


def link_of(answer):
    return re.search(r"http://testserver(/join/[^<\s]+)", answer.content.decode())[1]


@pytest.fixture
def link(place, admin, maya):
    place.person("sofia", "supervisor")
    return link_of(admin.post(f"/people/{maya.pk}/link/", {"reason": "Forgot the password"}))


@pytest.mark.req("SIG-10", case="negative")
@pytest.mark.parametrize("witness", ["olga", "maya", "jonas"])
def test_the_identity_is_not_checked_by_the_maker_the_joiner_or_who_may_not(place, link, witness):
    place.person("jonas", "operator")
    answer = Client().post(link, JOIN | {"witness": witness, "witness_password": PASSWORD})
    assert answer.status_code == 403
    assert User.objects.get(username="maya").check_password(PASSWORD)


@pytest.mark.req("SIG-10", case="negative")
def test_an_administrator_alone_cannot_use_the_link(link):
    answer = Client().post(link, JOIN | {"witness": "sofia", "witness_password": "guessed by the administrator"})
    assert answer.status_code == 403
    assert User.objects.get(username="maya").check_password(PASSWORD)


@pytest.mark.req("SIG-12", case="negative")
def test_who_guesses_the_witness_is_slowed_down_before_the_witness_is_locked_out(link):
    sofia = User.objects.get(username="sofia")
    tries = [Client().post(link, JOIN | {"witness": "sofia", "witness_password": f"guess number {each}"}).status_code for each in range(6)]
    assert tries == [403] * 3 + [429] * 3
    assert Client().post(link, JOIN | {"witness": "SOFIA", "witness_password": PASSWORD}).status_code == 429
    assert not PersonLock.objects.filter(user=sofia).exists() and User.objects.get(username="maya").check_password(PASSWORD)


@pytest.mark.req("SIG-10", case="positive")
def test_a_link_works_once(link):
    typed = JOIN | {"witness": "sofia", "witness_password": PASSWORD}
    assert Client().post(link, typed).status_code == 303
    assert Client().get(link).status_code == 404
    assert Client().post(link, typed).status_code == 404


def test_a_newer_link_ends_the_older_one(admin, maya, link):
    admin.post(f"/people/{maya.pk}/link/", {"reason": "Lost the first one"})
    assert Client().get(link).status_code == 404


def test_a_made_up_link_is_not_found(place):
    assert Client().get("/join/eyJ1c2VyIjoiYWJjIn0:1abc:xyz/").status_code == 404


@pytest.mark.req("SIG-10", case="negative")
def test_nobody_makes_a_link_for_themselves(admin, olga):
    answer = admin.post(f"/people/{olga.pk}/link/", {"reason": "Because"})
    assert answer.status_code == 403 and "/join/" not in answer.content.decode()


@pytest.mark.req("ACC-01", case="negative")
def test_a_user_name_is_never_given_twice(admin, maya):
    answer = admin.post("/people/new/", {"kind": "person", "full_name": "Maya the second", "username": "MAYA"})
    text = answer.content.decode()
    assert answer.status_code == 409 and "never used again" in text
    assert "Maya the second" in text  # what was typed is kept


def test_two_presses_of_enrol_make_one_person(admin):
    page = admin.get("/people/new/").content.decode()
    typed = {"kind": "person", "full_name": "Jonas Lindqvist", "username": "jonas", "once": re.search(r'name="once" value="([^"]+)"', page)[1]}
    first, second = admin.post("/people/new/", typed), admin.post("/people/new/", typed)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.url == second.url
    assert User.objects.filter(username="jonas").count() == 1


def test_a_refused_form_can_be_corrected_and_sent_again(admin, maya):
    page = admin.get("/people/new/").content.decode()
    once = re.search(r'name="once" value="([^"]+)"', page)[1]
    typed = {"kind": "person", "full_name": "Jonas Lindqvist", "once": once}
    assert admin.post("/people/new/", typed | {"username": "maya"}).status_code == 409
    assert admin.post("/people/new/", typed | {"username": "jonas"}).status_code == 303


# --- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-06", case="positive")
def test_a_role_is_given_and_ended_with_a_reason(place, admin, maya):
    assert give(admin, maya, place.role("supervisor")).status_code == 303
    grant = Grant.objects.get(user=maya, role__code="supervisor")
    assert admin.post(f"/people/{maya.pk}/roles/{grant.pk}/end/", {"seen": grant.version, "reason": ""}).status_code == 422
    assert admin.post(f"/people/{maya.pk}/roles/{grant.pk}/end/", {"seen": grant.version, "reason": "Left the team"}).status_code == 303
    grant.refresh_from_db()
    assert grant.ends_at is not None
    assert grant.history.order_by("-version").first().history_change_reason == "Left the team"


@pytest.mark.req("ACC-07", case="negative")
def test_nobody_gives_a_role_to_themselves(place, admin, olga):
    answer = give(admin, olga, place.role("supervisor"))
    assert answer.status_code == 403 and "Nobody gives a role to themselves" in answer.content.decode()
    assert Grant.objects.filter(user=olga).count() == 1


@pytest.mark.req("ACC-07", case="negative")
def test_an_administrator_never_gets_gmp_rights_beside(place, admin):
    second = place.person("piet", "administrator")
    answer = give(admin, second, place.role("operator"))
    assert answer.status_code == 403 and "One person never does both" in answer.content.decode()
    assert not rules.may(second.pk, "batches.record_values", place.site.pk)


@pytest.mark.req("ACC-07", case="negative")
def test_an_administrator_holds_no_gmp_right(place, olga):
    rights = rules.permissions_of(olga.pk, place.site.pk)
    assert rights and all(right.startswith("mes.") for right in rights)


def test_a_stale_page_ends_no_role(admin, maya):
    grant = Grant.objects.get(user=maya)
    answer = admin.post(f"/people/{maya.pk}/roles/{grant.pk}/end/", {"seen": grant.version - 1, "reason": "Left the team"})
    assert answer.status_code == 409
    grant.refresh_from_db()
    assert grant.ends_at is None


# --- training, locks, tokens -----------------------------------------------------------------------------------------


@pytest.mark.req("ACC-08", case="positive")
def test_a_supervisor_records_training(place, maya):
    client = signed_in(place.person("sofia", "supervisor"))
    assert client.post(f"/people/{maya.pk}/training/", {"title": "Aseptic work"}).status_code == 303
    assert rules.is_qualified(maya.pk, "procedure:aseptic-work")


@pytest.mark.req("ACC-08", case="negative")
def test_nobody_records_their_own_training(place):
    sofia = place.person("sofia", "supervisor")
    answer = signed_in(sofia).post(f"/people/{sofia.pk}/training/", {"title": "Aseptic work"})
    assert answer.status_code == 403
    assert not Qualification.objects.filter(user=sofia).exists()


@pytest.mark.req("SIG-12", case="positive")
def test_an_administrator_lifts_a_lock_with_a_reason(place, admin, maya):
    lock = services.lock_person(by=place.setup, user_id=maya.pk, why="wrong secrets in a row")
    assert admin.post(f"/people/{maya.pk}/locks/{lock.pk}/", {"seen": lock.version, "reason": "Identity checked at the door"}).status_code == 303
    assert not PersonLock.objects.get(pk=lock.pk).open


@pytest.mark.req("SIG-12", case="negative")
def test_an_operator_lifts_no_lock(place, maya):
    lock = services.lock_person(by=place.setup, user_id=place.person("jonas", "operator").pk, why="test")
    answer = signed_in(maya).post(f"/people/{lock.user_id}/locks/{lock.pk}/", {"seen": 1, "reason": "He is my friend"})
    assert answer.status_code == 403
    assert PersonLock.objects.get(pk=lock.pk).open


@pytest.mark.req("SIG-13", case="positive")
def test_a_token_is_shown_once_and_revoked(place, admin):
    device = place.person("counter-7", "equipment", kind="device", password="", pin="")
    text = admin.post(f"/people/{device.pk}/token/", {"equipment": "01a20260-9c16-76fb-b6e1-2d15fe71802d"}).content.decode()
    token = re.search(r"ctd_[0-9a-f]+_[\w-]+", text)[0]
    credential = DeviceCredential.objects.get(user=device)
    assert token not in admin.get(f"/people/{device.pk}/").content.decode()
    assert credential.token_digest not in text
    url = f"/people/{device.pk}/token/{credential.pk}/"
    assert admin.post(url, {"seen": credential.version, "reason": "Counter replaced"}).status_code == 303
    assert DeviceCredential.objects.get(pk=credential.pk).revoked


def test_a_person_gets_no_token(admin, maya):
    answer = admin.post(f"/people/{maya.pk}/token/", {"equipment": "01a20260-9c16-76fb-b6e1-2d15fe71802d"})
    assert answer.status_code == 409 and "Only a device has a token" in answer.content.decode()


@pytest.mark.req("ACC-08", case="positive")
def test_a_training_of_several_is_one_record_and_one_entry_for_each(place):
    sofia, first, second = place.person("sofia", "supervisor"), place.person("mia", "operator"), place.person("noa", "operator")
    client = signed_in(sofia)
    shown = client.get("/people/training/").content.decode()
    assert "checked" not in shown and first.full_name in shown
    given = {"people": [str(first.pk), str(second.pk)], "title": "Gowning", "subject": "", "until": ""}
    assert client.post("/people/training/", given).status_code == 303
    with site_context(place.site.pk):
        made = Qualification.objects.filter(subject="procedure:gowning")
        assert {each.user_id for each in made} == {first.pk, second.pk}
        assert AuditRow.objects.filter(row_id__in=[each.pk for each in made]).values("entry").distinct().count() == 2


@pytest.mark.req("ACC-08", case="negative")
def test_a_training_names_who_had_it_and_the_trainer_is_not_among_them(place):
    sofia, mia = place.person("sofia", "supervisor"), place.person("mia", "operator")
    client = signed_in(sofia)
    assert client.post("/people/training/", {"title": "Gowning"}).status_code == 422
    answer = client.post("/people/training/", {"people": [str(sofia.pk), str(mia.pk)], "title": "Gowning"})
    assert answer.status_code == 409 and sofia.full_name in answer.content.decode()
    with site_context(place.site.pk):
        assert {each.user_id for each in Qualification.objects.filter(subject="procedure:gowning")} == {mia.pk}


@pytest.mark.req("ACC-02", case="negative")
def test_a_field_that_the_form_does_not_have_changes_nothing(place, admin):
    more = {"site": str(place.site.pk), "password": "a password from outside 5", "pin": "739164", "is_active": "", "version": "7", "kind_": "system"}
    admin.post("/people/new/", {"kind": "person", "full_name": "Nora", "username": "nora", "badge": ""} | more)
    nora = User.objects.get(username="nora")
    assert (nora.password, nora.pin, nora.is_active, nora.version, nora.kind) == ("", "", True, 1, "person")
