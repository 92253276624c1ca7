"""Two presses at once, and a change while a signing page is being drawn: against committed data, on several connections."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import override_settings

from mes.events import Event
from mes.people.models import Role, User
from mes.records import door
from mes.signatures import manifest
from mes.signatures.models import SigningIntent
from tests.builders.staff import open_site, signed_in


@pytest.fixture
def place(committed_db):
    return open_site()


def test_two_presses_at_the_same_moment_make_one_record(place):
    client = signed_in(place.person("olga", "administrator"))
    once = re.search(r'name="once" value="([^"]+)"', client.get("/people/new/").content.decode())[1]
    typed = {"kind": "person", "full_name": "Jonas Lindqvist", "username": "jonas", "once": once}

    def press(_):
        try:
            return client.post("/people/new/", typed)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as presses:
        answers = list(presses.map(press, range(3)))
    assert [answer.status_code for answer in answers] == [303, 303, 303], [answer.content.decode()[:500] for answer in answers]
    assert {answer.url for answer in answers} == {f"/people/{User.objects.get(username='jonas').pk}/"}


@pytest.mark.req("SIG-15", case="negative")
def test_what_is_shown_and_what_is_bound_are_of_one_moment(place, monkeypatch):
    """A change that lands between the digest and the drawing is in both or in neither."""
    from tests.mes.signatures import signing_urls

    maya, role = place.person("maya", "operator"), place.role("operator")
    client = signed_in(maya)
    summary = signing_urls.SignRole.summary

    def rename(*, by):
        row = Role.objects.lock(role.pk)
        row.name = "Renamed meanwhile"
        row.save()
        return row

    def elsewhere():
        try:
            door._run(door.Deed(by=place.setup), Event.ROLE_DEFINED, rename, {})
        finally:
            connection.close()

    def meanwhile(self, **kwargs):
        with ThreadPoolExecutor(1) as other:
            other.submit(elsewhere).result()
        return summary(self, **kwargs)

    monkeypatch.setattr(signing_urls.SignRole, "summary", meanwhile)
    with override_settings(ROOT_URLCONF="tests.mes.signatures.signing_urls"):
        text = client.get(f"/sign/{role.pk}/performed/").content.decode()
    assert Role.objects.get(pk=role.pk).name == "Renamed meanwhile"
    assert "Renamed meanwhile" not in text
    intent = SigningIntent.objects.get()
    before = role.history.get(version=intent.record_version)
    content = {"name": before.name, "permissions": before.permissions}
    shown = manifest.payload_bytes("role/1", "mes.role", role.pk, intent.record_version, place.site.pk, content)
    assert bytes(intent.payload_digest) == manifest.digest(shown)
