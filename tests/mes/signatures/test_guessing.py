"""Guessing at names in the signing dialog: slowed down by whose session it is and where it comes from, and nobody learns by it who is known."""

import datetime as dt

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone

from mes.people import services as people
from mes.people.hashers import nobodys_hash
from mes.people.models import PersonLock, SignInThrottle
from mes.people.services.access import SIGNINGS_IN_VAIN, SIGNINGS_IN_VAIN_FROM_AN_ADDRESS
from tests.builders.staff import PIN, open_site, signed_in
from tests.mes.signatures.test_pages import Page, signatures

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mes.signatures.signing_urls")]
WRONG = "111222"
NOBODY = "nobody.here"


@pytest.fixture
def maya(place):
    return place.person("maya", "operator")


@pytest.fixture
def page(place, maya):
    return Page(signed_in(maya), place)


@pytest.fixture
def hashed(monkeypatch):
    """One item for each hash that is checked."""
    nobodys_hash()
    counted, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *words: counted.append(1) or encode(self, *words))
    return counted


def guess(page, who: str, times: int = 1) -> list[tuple[int, str]]:
    """Status and code of each answer."""
    intent, answers = page.open(), []
    for _ in range(times):
        answer = page.sign(intent=intent, who=who, secret=WRONG)
        answers.append((answer.status_code, answer.headers.get("X-Refusal", "")))
    return answers


def wait():
    """The five minutes of the throttle pass."""
    SignInThrottle.objects.update(since=timezone.now() - dt.timedelta(minutes=6))


@pytest.mark.req("SIG-12", case="negative")
def test_many_unknown_names_from_one_session_are_refused_before_any_hash(page, hashed):
    for number in range(SIGNINGS_IN_VAIN):
        assert guess(page, f"{NOBODY}.{number}") == [(403, "wrong_secret")]
    assert len(hashed) == SIGNINGS_IN_VAIN
    hashed.clear()
    assert guess(page, f"{NOBODY}.else", times=5) == [(429, "too_many_tries")] * 5
    assert not hashed
    wait()
    assert page.sign().status_code == 303


@pytest.mark.req("SIG-12", case="negative")
def test_many_unknown_names_from_one_address_are_refused_before_any_hash(place, page, hashed):
    guess(page, NOBODY)
    SignInThrottle.objects.filter(tries=1).update(tries=SIGNINGS_IN_VAIN_FROM_AN_ADDRESS - 1)
    another = Page(signed_in(place.person("jonas", "operator")), place)
    assert guess(another, NOBODY) == [(403, "wrong_secret")]
    hashed.clear()
    assert guess(another, NOBODY) == [(429, "too_many_tries")]
    assert not hashed
    elsewhere = Page(signed_in(place.person("ines", "operator")), place)
    elsewhere.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.sign(who="ines").status_code == 303


@pytest.mark.req("SIG-12", case="negative")
def test_guesses_at_who_is_locked_out_are_refused_before_any_hash_too(place, page, hashed):
    people.lock_person(by=place.setup, user_id=place.person("jonas", "operator").pk, why="test")
    assert guess(page, "jonas", SIGNINGS_IN_VAIN) == [(403, "locked_out")] * SIGNINGS_IN_VAIN
    hashed.clear()
    assert guess(page, "jonas") == [(429, "too_many_tries")]
    assert not hashed


@pytest.mark.req("ACC-02", case="negative")
def test_who_is_held_up_is_told_the_same_of_known_and_unknown_names(place, page):
    elsewhere = open_site("GRO", "Groningen").person("greta", "operator")
    guess(page, NOBODY, SIGNINGS_IN_VAIN)
    told = {name: page.sign(who=name, secret=PIN).content.decode().count("Too many tries. Wait five minutes") for name in (NOBODY, elsewhere.username, "maya")}
    assert set(told.values()) == {1}, told
    assert not PersonLock.objects.exists() and signatures(place) == []


@pytest.mark.req("ACC-02", case="negative")
def test_a_wrong_secret_of_a_known_name_counts_as_one_of_an_unknown_name_does(place, page):
    open_site("GRO", "Groningen").person("greta", "operator")
    guess(page, NOBODY, SIGNINGS_IN_VAIN - 1)
    assert guess(page, "greta") == [(403, "wrong_secret")]
    assert guess(page, NOBODY) == [(429, "too_many_tries")]


@pytest.mark.req("SIG-12", case="positive")
def test_a_shift_that_mistypes_goes_on_signing(place, page):
    for number in range(5):
        place.person(f"person.{number}", "operator")
        guess(page, f"person.{number}", times=4)
        assert page.sign(who=f"person.{number}").status_code == 303
    assert len(signatures(place)) == 5


@pytest.mark.req("SIG-12", case="negative")
def test_guesses_at_a_covered_page_are_refused_before_any_hash(page, hashed):
    page.client.post("/lock/")
    answers = [page.client.post("/unlock/", {"who": f"{NOBODY}.{number}", "secret": WRONG}).status_code for number in range(SIGNINGS_IN_VAIN)]
    assert answers == [403] * SIGNINGS_IN_VAIN
    hashed.clear()
    assert page.client.post("/unlock/", {"who": NOBODY, "secret": WRONG}).status_code == 429
    assert not hashed
    wait()
    assert page.client.post("/unlock/", {"who": "maya", "secret": PIN}).status_code == 302
