"""Reading: one site at a time, and never a silence that looks like an answer."""

import pytest
from django.db import InternalError, connection
from django.db.models import Count

from mes.audit.models import AuditEntry
from mes.errors import NoSiteContext
from mes.keys import uuid7
from mes.people.models import AccessEvent
from mes.records.context import current_site, site_context
from mes.signatures.models import SigningIntent
from tests.builders.people import open_place


@pytest.fixture
def place(committed_db):
    return open_place()


def test_a_context_without_a_site_is_refused():
    with pytest.raises(NoSiteContext), site_context(None):
        pass


def test_a_context_of_another_site_is_refused_inside_one(place):
    with site_context(place.site.pk), pytest.raises(NoSiteContext, match="another site"), site_context(uuid7()):
        pass


def test_the_same_context_again_is_no_other(place):
    with site_context(place.site.pk):
        with site_context(place.site.pk):
            assert current_site() == place.site.pk
        assert AuditEntry.objects.exists()
    assert current_site() is None


@pytest.mark.req("ACC-02", case="negative")
def test_one_site_is_seen_and_the_other_is_not(place):
    other = open_place()
    with site_context(place.site.pk):
        assert set(AuditEntry.objects.values_list("site_id", flat=True)) == {place.site.pk}
    with site_context(other.site.pk):
        assert set(AuditEntry.objects.values_list("site_id", flat=True)) == {other.site.pk}


def test_the_site_is_gone_from_the_connection_after_the_context(place):
    for _ in range(2):
        with site_context(place.site.pk):
            assert AuditEntry.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT nullif(current_setting('cartulary.site', true), '')")
            assert cursor.fetchone() == (None,)


def test_an_error_inside_leaves_no_site_behind(place):
    with pytest.raises(ZeroDivisionError), site_context(place.site.pk):
        raise ZeroDivisionError
    assert current_site() is None
    assert AuditEntry.objects.count() == 0


def test_a_read_context_writes_nothing(place):
    intent = {
        "site_id": place.site.pk, "session_user_id": place.setup.user_id, "record_type": "x", "record_id": uuid7(),
        "record_version": 1, "meaning": "performed", "payload_digest": b"", "expires_at": place.site.recorded_at,
    }  # fmt: skip
    with pytest.raises(InternalError, match="read-only"), site_context(place.site.pk):
        SigningIntent.objects.create(**intent)
    with site_context(place.site.pk, writable=True):
        SigningIntent.objects.create(**intent)
    assert SigningIntent.objects.count() == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda rows: list(rows),
        lambda rows: rows.count(),
        lambda rows: rows.exists(),
        lambda rows: rows.first(),
        lambda rows: list(rows.values_list("kind")),
        lambda rows: rows.filter(kind="in").aggregate(n=Count("pk")),
        lambda rows: list(rows.iterator()),
        lambda rows: rows.one(kind="in"),
    ],
)
def test_a_guarded_read_without_a_site_is_an_error_and_no_empty_answer(place, read):
    with pytest.raises(NoSiteContext):
        read(AccessEvent.objects.all())
    with site_context(place.site.pk):
        assert not AccessEvent.objects.exists()
