"""A prefix of the path that a client names in a header (SCRIPT_NAME, as gunicorn takes it from a proxy on its machine) opens nothing."""

from ipaddress import ip_network

import pytest
from django.test import Client

from mes.people.models import User
from tests.builders.staff import PASSWORD, open_site, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.SECOND_FACTOR_AT_SIGN_IN = True
    settings.CONTROLLED_NETWORKS = [ip_network("10.20.0.0/16")]


@pytest.fixture
def place():
    return open_site()


def sits(person) -> Client:
    return signed_in(person, client=Client(REMOTE_ADDR="10.20.1.7"))


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.parametrize("prefix", ["/static", "/sign-in", "/livez", "/api/v1/session"])
def test_a_named_prefix_opens_nothing_before_the_second_factor(place, prefix):
    maya = place.person("maya", "administrator")
    client, pin = sits(maya), maya.pin
    assert [client.get(page, SCRIPT_NAME=prefix).status_code for page in ("/me/", "/api/v1/me/")] == [302, 403]
    assert client.post("/me/pin/", {"current": PASSWORD, "pin": "739146", "pin_again": "739146"}, SCRIPT_NAME=prefix).status_code == 403
    assert User.objects.get(pk=maya.pk).pin == pin


@pytest.mark.req("ACC-03", case="negative")
def test_a_named_prefix_lifts_no_cover(place):
    client = sits(place.person("maya", "operator"))
    client.post("/lock/")
    assert [client.get("/me/", SCRIPT_NAME=prefix).status_code for prefix in ("", "/static", "/lock")] == [302, 302, 302]
