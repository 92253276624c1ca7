"""The audit trail's page and drawer."""

import csv
import io
import re

import pytest
from django.test import Client

from mes.checkpoints.services import take_checkpoint
from mes.people import services
from mes.people.setup import system_actor
from tests.builders.staff import open_site, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def sofia(place):
    return signed_in(place.person("sofia", "supervisor"))


@pytest.fixture
def maya(place):
    return place.person("maya", "operator", full_name="Maya Okafor", signs=False)


@pytest.mark.req("AUD-10", case="positive")
def test_the_page_shows_old_and_new_and_why_with_the_zone(place, sofia, maya):
    lock = services.lock_person(by=place.setup, user_id=maya.pk, why="wrong secrets in a row")
    olga = place.person("olga", "administrator")
    services.unlock_person(by=place.actor(olga), lock_id=lock.pk, seen=lock.version, reason="Seen at the door")
    text = sofia.get("/audit/", {"person": "olga"}).content.decode()
    assert '<span class="old"><bdi>yes</bdi></span> → <b><bdi>no</bdi></b>' in text
    assert "Reason: <bdi>Seen at the door</bdi>" in text and "Times in Europe/Amsterdam" in text
    assert "Person Maya Okafor" in text


@pytest.mark.req("AUD-12", case="positive")
def test_coming_in_and_checkpoints_are_routine_and_said_in_words_and_the_rest_is_not(place, sofia, maya, settings, tmp_path):
    settings.KEYS_FOLDER, settings.ANCHORS_FOLDER = tmp_path / "keys", tmp_path / "anchors"
    take_checkpoint(by=system_actor(place.site.pk))
    signed_in(maya)
    shown = {match[1]: match[0] for match in re.findall(r"(<li[^>]*>.*?<b>([^<]+)</b>)", sofia.get("/audit/").content.decode(), re.DOTALL)}
    for kind in ("Signed in", "Checkpoint taken"):
        assert 'class="chg"' not in shown[kind], kind
    assert 'class="chg"' in shown["Person enrolled"]
    text = sofia.get("/audit/", {"event": "mes.checkpoint_taken"}).content.decode()
    assert "Checkpoint 1" in text and "log root" in text and "Snapshot" not in text
    assert "station-" in sofia.get("/audit/", {"event": "mes.signed_in"}).content.decode()


def test_further_pages_go_on_where_the_first_one_ended(place, sofia, maya, monkeypatch):
    monkeypatch.setattr("mes.audit.queries.entries.__kwdefaults__", {"before": "", "limit": 4})
    first = sofia.get("/audit/").content.decode()
    assert "Next page" in first and "before=" in first


@pytest.mark.req("AUD-10", case="positive")
def test_the_drawer_shows_one_stream_with_its_count(sofia, maya):
    url = f"/audit/stream/person/{maya.pk}/"
    island = sofia.get(url, headers={"HX-Request": "true"}).content.decode()
    assert island.lstrip().startswith("<dialog") and "Person Maya Okafor" in island
    assert "4 entries, sequence unbroken" in island
    page = sofia.get(url).content.decode()
    assert "<html" in page and "4 entries, sequence unbroken" in page


@pytest.mark.req("ACC-02", case="negative")
def test_who_may_not_read_the_trail_sees_none_of_it(maya):
    client = signed_in(maya)
    for url in ("/audit/", f"/audit/stream/person/{maya.pk}/", "/audit/refusals/"):
        assert client.get(url).status_code == 403


@pytest.mark.req("ACC-02", case="negative")
def test_another_sites_stream_is_empty_here(sofia):
    other = open_site("GRO", "Groningen")
    stranger = other.person("sander", "operator", full_name="Sander Vos")
    text = sofia.get(f"/audit/stream/person/{stranger.pk}/").content.decode()
    assert "No entries." in text and "Person enrolled" not in text


@pytest.mark.req("AUD-09", case="positive")
def test_refused_attempts_are_on_the_first_page_of_who_reads_the_trail(place, sofia, maya):
    Client().post("/sign-in/", {"username": "maya", "password": "wrong"})
    text = sofia.get("/audit/refusals/", headers={"HX-Request": "true"}).content.decode()
    assert "do not belong together" in text


@pytest.mark.req("AUD-09", case="negative")
def test_a_page_that_was_refused_is_named_with_where_it_belongs_and_found_by_it(place, sofia, maya):
    stranger = signed_in(maya)
    for address in ("/deviations/", "/alerts/", "/audit/"):
        assert stranger.get(address).status_code == 403
    text = sofia.get("/audit/refusals/all/").content.decode()
    assert "Open the page “deviations, list”" in text and "Open the page “alerts, list”" in text and "“list”" not in text
    found = sofia.get("/audit/refusals/all/", {"text": "deviations"}).content.decode()
    assert "“deviations, list”" in found and "“alerts, list”" not in found
    found = sofia.get("/audit/refusals/all/", {"text": "Audit trail"}).content.decode()
    assert "“audit trail, audit”" in found and "“deviations, list”" not in found


@pytest.mark.req("AUD-10", case="positive")
def test_a_stream_is_exported_whole_and_a_formula_stays_text(place, sofia, maya):
    services.record_qualification(by=place.setup, user=maya, subject="procedure:x", title="Aseptic work")
    grant = maya.grants.get()
    services.end_grant(by=place.setup, grant_id=grant.pk, seen=grant.version, reason="=1+1 is what he wrote")
    answer = sofia.get(f"/audit/stream/person/{maya.pk}/export.csv")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0][:4] == ["no", "at (UTC)", "who", "user name"]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, 7)]
    assert rows[-1][8:11] == ["", rows[-1][9], "'=1+1 is what he wrote"] and rows[-1][9]
