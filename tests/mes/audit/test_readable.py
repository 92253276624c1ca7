"""The trail in words: what a person reads of records, facts and secrets."""

import pytest

from mes.audit import queries, readable
from mes.audit.models import AuditEntry
from mes.people import services
from mes.people.models import Grant, User
from mes.records.context import site_context
from tests.builders.staff import PASSWORD, PIN, enrol_authenticator

pytestmark = pytest.mark.django_db


def lines(place, stream, **more):
    with site_context(place.site.pk):
        return list(readable.lines_of_stream(stream, zone="Europe/Amsterdam", **more))


@pytest.fixture
def maya(place):
    return place.person("maya", "operator", full_name="Maya Okafor", signs=False)


@pytest.mark.req("AUD-02", case="positive")
def test_a_new_record_is_one_line_with_who_when_and_what(place, maya):
    first = lines(place, f"person:{maya.pk}")[0]
    assert (first.seq, first.event, first.who, first.channel) == (1, "Person enrolled", "Installation", "command")
    assert first.what == "User Maya Okafor (maya), new"
    assert "Full name: Maya Okafor" in first.new and first.old == ""
    assert first.at.tzinfo is not None


@pytest.mark.req("AUD-02", case="positive")
def test_a_changed_field_is_one_line_with_old_new_and_why(place, maya):
    grant = Grant.objects.get(user=maya)
    olga = place.person("olga", "administrator", signs=False)
    services.end_grant(by=place.actor(olga), grant_id=grant.pk, seen=grant.version, reason="Left the team")
    last = lines(place, f"person:{maya.pk}")[-1]
    assert (last.what, last.field, last.old, last.why) == ("Grant", "Ends at", "", "Left the team")
    assert last.new.endswith(("CET", "CEST"))
    assert (last.who, last.username, last.role) == ("Olga", "olga", "Administrator")


def test_what_a_row_points_to_is_named(place, maya):
    given = next(line for line in lines(place, f"person:{maya.pk}") if line.event == "Grant given")
    assert "Role: Operator" in given.new and "Given by: Installation (setup@UTR)" in given.new
    assert "Maya" not in given.new  # the stream says whose it is


@pytest.mark.req("AUD-10", case="negative")
def test_no_secret_is_ever_shown(place, maya):
    secret = enrol_authenticator(place, maya)
    user = User.objects.get(pk=maya.pk)
    text = "\n".join(f"{line.what} {line.field} {line.old} {line.new}" for line in lines(place, f"person:{maya.pk}"))
    for hidden in (user.password, user.pin, PASSWORD, PIN, secret.hex(), "md5$", "argon2"):
        assert hidden not in text
    assert "Password: (not shown)" in text or readable.NOT_SHOWN in text


def test_every_column_that_holds_a_secret_is_hidden():
    from django.apps import apps
    from django.db import models

    for model in apps.get_models():
        if getattr(model, "row_kind", None) not in {"record", "fact"}:
            continue
        for one in model._meta.concrete_fields:
            telling = any(word in one.name for word in ("password", "secret", "cipher", "token", "_digest")) or one.name == "pin"
            if telling and isinstance(one, models.BinaryField | models.CharField | models.TextField) and one.max_length != 64:
                assert readable._is_hidden(model, one), f"{model.__name__}.{one.name} would be shown in the trail"


def test_lines_come_in_the_streams_order_and_every_entry_has_one(place, maya):
    stream = f"person:{maya.pk}"
    found = lines(place, stream, chunk=2)
    with site_context(place.site.pk):
        count = queries.count_of_stream(stream)
        assert queries.head_of(stream).seq == count
    assert [line.seq for line in found] == sorted(line.seq for line in found)
    assert {line.seq for line in found} == set(range(1, count + 1))
    assert found == lines(place, stream)


def test_reading_many_entries_takes_a_fixed_number_of_queries(place, maya, django_assert_max_num_queries):
    for number in range(6):
        services.record_qualification(by=place.setup, user=maya, subject=f"procedure:{number}", title=f"Procedure {number}")
    with site_context(place.site.pk):
        entries = list(AuditEntry.objects.filter(stream=f"person:{maya.pk}"))
        with django_assert_max_num_queries(10):
            readable.describe_all(entries)


def test_a_line_says_which_rows_it_belongs_to(place, maya):
    given = next(line for line in lines(place, f"person:{maya.pk}") if line.event == "Grant given")
    assert given.keys["user_id"] == maya.pk


# --- finding ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-10", case="positive")
def test_pages_of_the_trail_hold_every_entry_once(place, maya):
    with site_context(place.site.pk):
        everything = set(AuditEntry.objects.values_list("pk", flat=True))
        found, mark = [], ""
        while True:
            page = queries.entries(queries.Wanted(), before=mark, limit=3)
            found += [entry.pk for entry in page.entries]
            mark = page.older
            if not mark:
                break
    assert len(found) == len(set(found)) and set(found) == everything


@pytest.mark.req("AUD-10", case="positive")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"person": "olg"}, {"Person unlocked"}),
        ({"text": "door"}, {"Person unlocked"}),
        ({"text": "grant given"}, {"Grant given"}),
        ({"person": "nobody"}, set()),
    ],
)
def test_the_trail_is_narrowed_by_person_and_words(place, maya, wanted, expected):
    lock = services.lock_person(by=place.setup, user_id=maya.pk, why="test")
    olga = place.person("olga", "administrator", signs=False)
    services.unlock_person(by=place.actor(olga), lock_id=lock.pk, seen=lock.version, reason="Seen at the door")
    with site_context(place.site.pk):
        found = queries.entries(queries.Wanted(**wanted)).entries
    assert {readable.event_words(entry.events[-1:]) for entry in found} == expected


def test_the_trail_is_narrowed_by_time(place, maya):
    with site_context(place.site.pk):
        middle = AuditEntry.objects.order_by("at")[3].at
        before = queries.entries(queries.Wanted(until=middle)).entries
        after = queries.entries(queries.Wanted(since=middle)).entries
        assert len(before) == 3 and len(before) + len(after) == AuditEntry.objects.count()


# --- ids and objects in words ----------------------------------------------------------------------------------------


@pytest.mark.req("AUD-02", case="positive")
def test_a_refused_sign_in_names_whom_it_was_about_and_shows_no_id(place, maya):
    from django.test import Client

    Client().post("/sign-in/", {"username": "maya", "password": "not this one"})
    Client().post("/sign-in/", {"username": "nobody-of-that-name", "password": "not this one"})
    known, unknown = (line.new for line in lines(place, f"security:{place.site.pk}") if "sign_in" in line.new)
    assert "Subject: Maya Okafor (maya)" in known and str(maya.pk) not in known
    assert "nobody-of-that-name" not in unknown and "Subject" not in unknown


def test_an_id_that_names_nothing_known_is_told_by_its_end():
    import uuid
    from zoneinfo import ZoneInfo

    loaded = readable._Loaded([], {}, ZoneInfo("UTC"))
    key = uuid.UUID("01900000-0000-7000-8000-00000abcdef1")
    assert loaded._in_words(f"deviation:{key}") == "deviation:…bcdef1"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"action": {"min": "70", "max": None}, "alert": {"min": "75"}}, "action (min 70), alert (min 75)"),
        ([{"code": "identity", "ok": True}, {"code": "dose", "ok": False}], "code identity, ok yes; code dose, ok no"),
        (["EU", "US"], "EU, US"),
        ({"signed_at": "2026-11-26T09:50:00Z"}, "signed at 26 Nov 2026, 10:50 CET"),
    ],
)
def test_lists_and_objects_are_read_in_words(value, words):
    from zoneinfo import ZoneInfo

    assert readable.value_text(value, ZoneInfo("Europe/Amsterdam")) == words
