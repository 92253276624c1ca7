"""The choice of a site is no way round the cover of an idle page, nor to a longer session."""

import time

import pytest

from mes.people import services
from tests.builders.staff import open_site, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return open_site()


def at_two_sites(person, role: str) -> None:
    other = open_site("GRO", "Groningen")
    services.grant_role(by=other.setup, user=person, role=other.role(role))


@pytest.mark.req("ACC-05", case="negative")
def test_choosing_a_site_lifts_no_cover(place):
    client = signed_in(place.person("maya", "operator"))
    client.post("/lock/")
    assert client.get("/me/").status_code == 302
    client.post("/sign-in/site/", {"site": str(place.site.pk)})
    assert client.get("/me/").status_code == 302, "nobody gave a secret"


def test_choosing_a_site_makes_no_session_longer(place, settings):
    client = signed_in(place.person("maya", "operator"))
    kept = client.session
    kept["began"] = time.time() - settings.SESSION_COOKIE_AGE + 60
    kept.save()
    before = client.session["began"]
    client.post("/sign-in/site/", {"site": str(place.site.pk)})
    assert client.session["began"] == before


@pytest.mark.req("ACC-02", case="negative")
def test_who_signs_in_over_anothers_session_and_chooses_a_site_is_not_the_other(place):
    maya, boss = place.person("maya", "operator"), place.person("boss", "supervisor")
    at_two_sites(boss, "supervisor")
    client = signed_in(maya)
    client.post("/lock/")
    signed_in(boss, client=client)
    client.post("/sign-in/site/", {"site": str(place.site.pk)})
    assert client.get("/api/v1/me/").json()["username"] == boss.username


def test_who_gives_the_password_under_the_cover_goes_on_by_the_choice_of_a_site(place):
    maya = place.person("maya", "operator")
    at_two_sites(maya, "operator")
    client = signed_in(maya)
    client.post("/sign-in/site/", {"site": str(place.site.pk)})
    client.post("/lock/")
    signed_in(maya, client=client)
    client.post("/sign-in/site/", {"site": str(place.site.pk)})
    assert client.get("/me/").status_code == 200
