"""Sessions: where somebody is signed in, and ending them before their time. OWASP ASVS 5.0, V7."""

import datetime as dt

import pytest
from cryptography.exceptions import InvalidTag
from django.test import Client

from mes.errors import NotAllowed
from mes.people import services, session, totp
from mes.people.models import UserSession
from tests.builders.staff import PASSWORD, PIN, open_site, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya(place):
    return place.person("maya", "operator")


def is_in(client) -> bool:
    return client.get("/me/").status_code == 200


def key_of(client) -> str:
    return client.session.session_key


@pytest.mark.req("ACC-06", case="positive")
def test_a_person_sees_where_they_are_signed_in_and_ends_the_others(maya):
    here, there, elsewhere = signed_in(maya), signed_in(maya), signed_in(maya)
    text = here.get("/me/").content.decode()
    assert text.count("station-") >= 3 and "this one" in text
    assert all(key_of(client) not in text for client in (here, there, elsewhere))
    assert "All but this one" in here.get("/me/").content.decode()
    answer = here.post("/me/sessions/", {"current": PASSWORD, "which": ""})
    assert answer.status_code == 303
    assert is_in(here) and not is_in(there) and not is_in(elsewhere)


def test_one_of_them_is_ended_alone(maya):
    here, there, elsewhere = signed_in(maya), signed_in(maya), signed_in(maya)
    ref = UserSession.objects.get(session_key=key_of(there)).ref
    here.post("/me/sessions/", {"current": PASSWORD, "which": ref})
    assert is_in(here) and not is_in(there) and is_in(elsewhere)


@pytest.mark.req("ACC-06", case="negative")
def test_an_open_page_alone_ends_no_session_and_nobody_elses(place, maya):
    here, there = signed_in(maya), signed_in(maya)
    jonas = signed_in(place.person("jonas", "operator"))
    assert here.post("/me/sessions/", {"current": "not the password", "which": ""}).status_code == 403
    ref = UserSession.objects.get(session_key=key_of(jonas)).ref
    assert here.post("/me/sessions/", {"current": PASSWORD, "which": ref}).status_code == 422
    assert is_in(here) and is_in(there) and is_in(jonas)


@pytest.mark.req("ACC-06", case="positive")
def test_an_administrator_ends_every_session_of_a_person_with_a_reason(place, maya):
    client, other = signed_in(maya), signed_in(maya)
    olga = signed_in(place.person("olga", "administrator"))
    assert "Signed in at 2 stations" in olga.get(f"/people/{maya.pk}/").content.decode()
    assert olga.post(f"/people/{maya.pk}/sessions/", {}).status_code == 422
    assert is_in(client)
    olga.post(f"/people/{maya.pk}/sessions/", {"reason": "Station left open"})
    assert not is_in(client) and not is_in(other)
    assert not UserSession.objects.filter(user=maya).exists()
    assert is_in(olga)


@pytest.mark.req("ACC-06", case="negative")
def test_nobody_else_ends_a_session_neither_a_colleague_nor_another_site(place, maya):
    client = signed_in(maya)
    jonas = place.person("jonas", "operator")
    with pytest.raises(NotAllowed):
        services.end_sessions(by=place.actor(jonas), user_id=maya.pk, reason="a joke")
    other = open_site("GRO", "Groningen")
    stranger = signed_in(other.person("greta", "administrator"))
    assert stranger.post(f"/people/{maya.pk}/sessions/", {"reason": "a joke"}).status_code == 404
    assert is_in(client)


@pytest.mark.req("ACC-06", case="negative")
def test_a_session_that_is_ended_while_its_cover_is_lifted_stays_ended(place, maya, monkeypatch):
    client, olga = signed_in(maya), place.actor(place.person("olga", "administrator"))
    client.post("/lock/")
    proven = session.prove_again

    def ended_meanwhile(*words):
        user = proven(*words)
        services.end_sessions(by=olga, user_id=maya.pk, reason="Tablet lost")
        return user

    monkeypatch.setattr(session, "prove_again", ended_meanwhile)
    client.post("/unlock/", {"who": "maya", "secret": PIN})
    assert not UserSession.objects.filter(user=maya).exists()
    assert not is_in(client)


def test_every_prove_of_a_secret_changes_the_key(maya):
    client = signed_in(maya)
    first = key_of(client)
    client.post("/lock/")
    client.post("/unlock/", {"who": "maya", "secret": PIN})
    second = key_of(client)
    client.post("/me/password/", {"current": PASSWORD, "new": "another long password 31", "again": "another long password 31"})
    assert len({first, second, key_of(client)}) == 3
    assert not UserSession.objects.filter(session_key__in=[first, second]).exists()


def test_a_closed_account_has_no_session_at_the_next_request(place, maya):
    client, olga = signed_in(maya), place.person("olga", "administrator")
    maya.refresh_from_db()
    services.close_account(by=place.actor(olga), user_id=maya.pk, seen=maya.version, reason="left the hospital")
    assert not is_in(client)


def test_sessions_that_are_over_are_forgotten_and_others_stay(maya):
    over, open_ = signed_in(maya), signed_in(maya)
    row = UserSession.objects.filter(session_key=key_of(over))
    row.update(expire_date=row.get().expire_date - dt.timedelta(days=2))
    assert session.forget_old() == 1
    assert is_in(open_) and not is_in(over)


def test_wrong_passwords_in_ones_name_are_told_at_the_next_sign_in_and_not_before(maya):
    for _ in range(2):
        said = Client().post("/sign-in/", {"username": "maya", "password": "guessed by somebody"}).content.decode()
        assert "in your name" not in said
    text = signed_in(maya).get("/").content.decode()
    assert "2 wrong passwords were given in your name" in text
    assert "in your name" not in signed_in(maya).get("/").content.decode()


def test_an_authenticator_still_opens_while_the_secret_of_the_installation_is_changed(settings):
    sealed = totp.seal(b"12345678901234567890")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another secret of this installation, long enough 5173"
    settings.SECRET_KEY_FALLBACKS = [old]
    assert totp.unseal(sealed) == b"12345678901234567890"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidTag):
        totp.unseal(sealed)
