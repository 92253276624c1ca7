"""Questions that are compiled once: they answer what the ORM answers, now, and refuse what it refuses."""

import uuid

import pytest
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from mes.asked import Sent, asked, together
from mes.errors import NoSiteContext
from mes.people.models import Grant, Site, User
from mes.people.standing import standing_of
from mes.permissions import Permission
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.people import open_place


@asked(uuid.UUID)
def held(user_id):
    return Grant.objects.filter(user_id=user_id).select_related("role__site").annotate(words=Concat(F("role__name"), Value("!"))).order_by("pk")


@asked(str)
def named(username):
    return User.objects.filter(username__iexact=username)


@asked(uuid.UUID)
def refusals(site_id):
    return SecurityEvent.objects.filter(site_id=site_id)


@asked(uuid.UUID)
def locked(user_id):
    return User.objects.select_for_update(no_key=True).filter(pk=user_id)


@pytest.fixture
def place(db):
    return open_place()


@pytest.fixture
def ben(place):
    return place.person("ben", [Permission.READ_AUDIT], role="Operator")


def test_it_answers_what_the_orm_answers_with_what_belongs_to_it(ben, place):
    for _ in range(2):  # written, then only bound
        (found,), (wanted,) = held(ben.user_id), held.queryset(ben.user_id)
        assert found == wanted and found.words == "Operator!" and found.starts_at == wanted.starts_at and found.recorded_at.tzinfo
        with CaptureQueriesContext(connection) as asked_for:
            assert (found.role.permissions, found.role.site.pk) == ([str(Permission.READ_AUDIT)], place.site.pk)
        assert not asked_for.captured_queries
    assert held(uuid.uuid4()) == []


def test_each_call_binds_its_own_values_and_reads_anew(ben, place):
    assert [each.pk for each in named("BEN")] == [ben.user_id] and named("100% ' \\ of nobody") == []
    zoe = place.person("zoe", [Permission.READ_AUDIT])
    assert [each.pk for each in named("zoe")] == [zoe.user_id] and [each.user_id for each in held(zoe.user_id)] == [zoe.user_id]


def test_a_guarded_table_is_not_asked_without_a_site(place):
    for ask in (lambda: refusals(place.site.pk), lambda: together((refusals, place.site.pk))):
        with pytest.raises(NoSiteContext):
            ask()
    with site_context(place.site.pk):
        assert refusals(place.site.pk) == []


def test_several_questions_are_answered_in_their_order(ben):
    people, grants, nobody = together((named, "ben"), (held, ben.user_id), (named, "nobody"))
    assert [each.pk for each in people] == [ben.user_id] == [each.user_id for each in grants] and nobody == []


def test_a_row_is_locked_inside_a_transaction_only(committed_db):
    with transaction.atomic():
        assert locked(uuid.uuid4()) == []
    with pytest.raises(TransactionManagementError):
        locked(uuid.uuid4())


def test_a_value_that_does_not_stand_in_the_sql_as_given_is_refused(db):
    @asked(str)
    def beginning(text):
        return User.objects.filter(username__startswith=text)

    with pytest.raises(TypeError, match="does not stand in the SQL"):
        beginning("b")


def test_own_sql_answers_its_first_row_or_how_many_it_wrote(place):
    assert Sent("SELECT code FROM mes_site WHERE id = %s").one(place.site.pk) == (place.site.code,)
    assert Sent("SELECT code FROM mes_site WHERE id = %s").one(uuid.uuid4()) is None
    assert Sent("DELETE FROM mes_failurecounter WHERE user_id = %s").changed(uuid.uuid4()) == 0


@pytest.mark.req("ACC-08", case="negative")
def test_a_standing_is_of_one_person_at_one_site(ben, place):
    with site_context(place.site.pk):
        standing = standing_of(ben.user_id, place.site.pk, "recipe_version:1")
    assert standing.permissions == {str(Permission.READ_AUDIT)} and [role.name for role in standing.roles] == ["Operator"]
    assert standing.trained_for is None and not standing.locked
    assert standing.is_of(ben.user_id, place.site.pk) and not standing.is_of(uuid.uuid4(), place.site.pk)
    assert not standing.is_of(ben.user_id, uuid.uuid4())
    assert (standing.site_code, standing.site_zone) == Site.objects.filter(pk=place.site.pk).values_list("code", "time_zone").get()
