"""Coming in: sign-in, lock-out, sites, the cover."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from mes.people import services
from mes.people.models import AccessEvent, PersonLock, SignInThrottle, UserSession
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.staff import PASSWORD, open_site, signed_in

pytestmark = pytest.mark.django_db
WRONG = "not-the-password-1"


def security_events(place, kind=None):
    with site_context(place.site.pk):
        found = SecurityEvent.objects.order_by("recorded_at")
        return list(found.filter(kind=kind) if kind else found)


def attempt(client, username, password):
    return client.post("/sign-in/", {"username": username, "password": password})


def said(answer):
    text = answer.content.decode()
    start = text.index('id="refusal"')
    return text[start : text.index("</div></div>", start)]


@pytest.mark.req("AUD-09", case="positive")
def test_signing_in_opens_a_session_and_writes_the_access_log(place):
    maya = place.person("maya", "operator")
    client = signed_in(maya)
    with site_context(place.site.pk):
        assert [(e.kind, e.by_id) for e in AccessEvent.objects.all()] == [("in", maya.pk)]
    assert client.session["site"] == str(place.site.pk)


def test_signing_in_changes_the_key_of_the_session(place):
    maya = place.person("maya", "operator")
    client = Client()
    client.get("/sign-in/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies["cartulary_session"] = session.session_key
    signed_in(maya, client=client)
    assert client.cookies["cartulary_session"].value != session.session_key
    assert not UserSession.objects.filter(session_key=session.session_key).exists()


@pytest.mark.req("AUD-09", case="positive")
def test_signing_out_ends_the_session_and_is_logged(place):
    maya = place.person("maya", "operator")
    client = signed_in(maya)
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    with site_context(place.site.pk):
        assert list(AccessEvent.objects.order_by("recorded_at").values_list("kind", flat=True)) == ["in", "out"]
    assert "_auth_user_id" not in client.session


@pytest.mark.req("ACC-02", case="negative")
def test_an_unknown_name_a_wrong_password_and_a_locked_person_are_told_the_same(place):
    maya, jonas = place.person("maya", "operator"), place.person("jonas", "operator")
    services.lock_person(by=place.setup, user_id=jonas.pk, why="test")
    unknown, wrong = attempt(Client(), "nobody.here", WRONG), attempt(Client(), maya.username, WRONG)
    locked_right, locked_wrong = attempt(Client(), jonas.username, PASSWORD), attempt(Client(), jonas.username, WRONG)
    assert {answer.status_code for answer in (unknown, wrong, locked_right, locked_wrong)} == {403}
    assert len({said(answer) for answer in (unknown, wrong, locked_right, locked_wrong)}) == 1


@pytest.mark.req("AUD-09", case="negative")
def test_a_refused_sign_in_leaves_a_security_event_without_the_name_as_typed(place):
    attempt(Client(), "my-password-typed-as-name", WRONG)
    (event,) = security_events(place, "sign_in_refused")
    assert "my-password" not in f"{event.username} {event.subject} {event.sentence}"


def test_the_name_stays_and_the_password_does_not_come_back(place):
    text = attempt(Client(), "maya", WRONG).content.decode()
    assert 'value="maya"' in text
    assert WRONG not in text


@pytest.mark.req("SIG-12", case="negative")
def test_five_wrong_passwords_lock_the_person_until_another_person_unlocks(place):
    maya, olga = place.person("maya", "operator"), place.person("olga", "administrator")
    for _ in range(5):
        attempt(Client(), maya.username, WRONG)
        wait()
    (lock,) = PersonLock.objects.filter(user=maya, open=True)
    assert attempt(Client(), maya.username, PASSWORD).status_code == 403
    services.unlock_person(by=place.actor(olga), lock_id=lock.pk, seen=lock.version, reason="Identity checked by telephone")
    assert attempt(Client(), maya.username, PASSWORD).status_code == 302


def wait():
    """The five minutes of the throttle pass."""
    SignInThrottle.objects.update(since=timezone.now() - dt.timedelta(minutes=6))


@pytest.mark.req("SIG-12", case="negative")
@pytest.mark.parametrize("name", ["maya", "nobody.here"])
def test_a_name_is_slowed_down_before_anybody_is_locked_out_by_it(place, name):
    maya = place.person("maya", "operator")
    assert [attempt(Client(), name, WRONG).status_code for _ in range(8)] == [403] * 3 + [429] * 5
    assert not PersonLock.objects.filter(user=maya).exists()
    assert attempt(Client(), name.upper(), PASSWORD).status_code == 429
    wait()
    assert attempt(Client(), "maya", PASSWORD).status_code == 302


@pytest.mark.req("SIG-12", case="negative")
def test_an_address_that_tries_many_names_is_slowed_down_and_another_is_not(place):
    place.person("maya", "operator")
    assert {attempt(Client(), f"nobody.{number}", WRONG).status_code for number in range(30)} == {403}
    assert attempt(Client(), "maya", PASSWORD).status_code == 429
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert attempt(elsewhere, "maya", PASSWORD).status_code == 302


@pytest.mark.req("SIG-12", case="positive")
def test_who_signs_in_rightly_is_not_slowed_down(place):
    maya = place.person("maya", "operator")
    for _ in range(12):
        assert attempt(Client(), maya.username, WRONG).status_code == 403
        assert attempt(Client(), maya.username, PASSWORD).status_code == 302


@pytest.mark.req("SIG-12", case="positive")
def test_the_lock_is_the_persons_and_nobody_elses(place):
    maya, jonas = place.person("maya", "operator"), place.person("jonas", "operator")
    for _ in range(5):
        attempt(Client(), maya.username, WRONG)
        wait()
    assert attempt(Client(), jonas.username, PASSWORD).status_code == 302


@pytest.mark.req("ACC-06", case="positive")
def test_a_lock_ends_a_running_session_at_the_next_request(place):
    maya = place.person("maya", "operator")
    client = signed_in(maya)
    assert client.get("/me/").status_code == 200
    services.lock_person(by=place.setup, user_id=maya.pk, why="test")
    assert client.get("/me/").url.startswith("/sign-in/")
    assert "_auth_user_id" not in client.session


@pytest.mark.req("ACC-06", case="positive")
def test_the_end_of_the_last_role_ends_a_running_session(place):
    maya = place.person("maya", "operator")
    client = signed_in(maya)
    grant = maya.grants.get()
    services.end_grant(by=place.setup, grant_id=grant.pk, seen=grant.version, reason="left the site")
    assert client.get("/me/").url.startswith("/sign-in/")


def test_who_holds_no_role_cannot_start_a_session(place):
    maya = place.person("maya")
    answer = attempt(Client(), maya.username, PASSWORD)
    assert answer.status_code == 403
    assert "no role" in answer.content.decode()


def test_who_works_at_two_sites_chooses_one(place):
    maya = place.person("maya", "operator")
    other = open_site("GRO", "Groningen")
    services.grant_role(by=other.setup, user=maya, role=other.role("operator"))
    client = Client()
    answer = attempt(client, maya.username, PASSWORD)
    assert answer.url.startswith("/sign-in/site/")
    assert "_auth_user_id" not in client.session
    page = client.get(answer.url).content.decode()
    assert "Utrecht" in page and "Groningen" in page
    client.post("/sign-in/site/", {"site": str(other.site.pk)})
    assert client.session["site"] == str(other.site.pk)


@pytest.mark.req("ACC-02", case="negative")
def test_a_site_without_a_role_cannot_be_chosen(place):
    maya = place.person("maya", "operator")
    other, third = open_site("GRO", "Groningen"), open_site("LEI", "Leiden")
    services.grant_role(by=other.setup, user=maya, role=other.role("operator"))
    client = Client()
    attempt(client, maya.username, PASSWORD)
    assert client.post("/sign-in/site/", {"site": str(third.site.pk)}).status_code == 422
    assert "_auth_user_id" not in client.session


def test_the_choice_of_a_site_asks_for_a_password_first(place):
    assert Client().get("/sign-in/site/").status_code == 409


def test_the_way_back_after_signing_in_stays_on_this_server(place):
    maya = place.person("maya", "operator")
    answer = Client().post("/sign-in/", {"username": maya.username, "password": PASSWORD, "next": "https://evil.example/"})
    assert answer.url == "/"


@pytest.mark.req("SIG-16", case="negative")
def test_a_device_has_no_session(place):
    device = place.person("counter-7", "equipment", kind="device")
    assert attempt(Client(), device.username, PASSWORD).status_code == 403


# --- the cover --------------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-05", case="negative")
def test_after_five_idle_minutes_the_page_is_covered_and_nothing_is_read(place, monkeypatch):
    client = signed_in(place.person("maya", "operator"))
    later(client, 400)
    answer = client.get("/me/")
    assert answer.status_code == 302 and answer.url.startswith("/unlock/")
    island = client.get("/me/", headers={"HX-Request": "true"})
    assert island.status_code == 423 and "data-locked" in island.content.decode()


@pytest.mark.req("ACC-05", case="negative")
def test_a_session_ends_after_its_longest_time_however_much_it_is_used(place, settings):
    client = signed_in(place.person("maya", "operator"))
    session = client.session
    session["began"] -= settings.SESSION_COOKIE_AGE + 1
    session.save()
    answer = client.get("/me/")
    assert answer.status_code == 302 and answer.url.startswith("/sign-in/")
    assert "_auth_user_id" not in client.session


@pytest.mark.req("ACC-05", case="positive")
def test_the_same_person_lifts_the_cover_and_what_was_posted_is_kept(place):
    maya = place.person("maya", "operator", badge="B-0001")
    client = signed_in(maya)
    later(client, 400)
    covered = client.post("/people/new/", {"note": "68.4 & more", "password": "secret-words-12"})
    text = covered.content.decode()
    assert covered.status_code == 423
    assert "note=68.4 &amp; more" in text and "secret-words-12" not in text
    opened = client.post("/unlock/", {"who": "B-0001", "secret": "482915", "kept": "note=68.4 & more", "kept_for": "/people/new/"})
    assert opened.status_code == 200
    assert 'name="note" value="68.4 &amp; more"' in opened.content.decode()
    assert client.get("/me/").status_code == 200


@pytest.mark.req("ACC-05", case="negative")
def test_somebody_else_under_the_cover_starts_as_themselves(place):
    client = signed_in(place.person("maya", "operator"))
    jonas = place.person("jonas", "operator", pin="739164")
    later(client, 400)
    answer = client.post("/unlock/", {"who": "jonas", "secret": "739164", "kept": "note=mayas words", "kept_for": "/people/new/"})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(jonas.pk)


def test_a_wrong_pin_leaves_the_cover_on_and_counts(place):
    maya = place.person("maya", "operator")
    client = signed_in(maya)
    client.post("/lock/")
    for _ in range(5):
        assert client.post("/unlock/", {"who": "maya", "secret": "000000"}).status_code == 403 or PersonLock.objects.filter(user=maya).exists()
    assert PersonLock.objects.filter(user=maya, open=True).count() == 1


def later(client, seconds):
    """As if the last touch had been this long ago (wall clock)."""
    session = client.session
    session["touched"] -= seconds
    session.save()


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.parametrize("address", ["/sign-in/", "/unlock/"])
def test_an_unknown_name_takes_as_many_hash_checks_as_a_known_one(place, monkeypatch, address):
    from django.contrib.auth.hashers import MD5PasswordHasher

    from mes.people.hashers import nobodys_hash

    client = signed_in(place.person("maya", "operator"))
    place.person("jonas", "operator", pin="")
    nobodys_hash()
    counted = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *words: counted.append(1) or encode(self, *words))
    found = []
    for name in ("maya", "jonas", "nobody.here"):
        counted.clear()
        client.post(address, {"username": name, "password": WRONG, "who": name, "secret": WRONG})
        found.append(len(counted))
    assert found[0] > 0 and len(set(found)) == 1, found
