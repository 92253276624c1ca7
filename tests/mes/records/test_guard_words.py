"""What was found of guards, for a person: which guard, which table, what is wrong; the digest apart."""

import re

import pytest
from django.db import connection

from mes.records import guard_words, guards

MARK = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("trigger guard_change on batches_entry is missing", "The guard of the table of “entry” (batches_entry) that refuses changes and removals is missing."),
        (
            "trigger guard_change on batches_entry does not fire always",
            "The guard of the table of “entry” (batches_entry) that refuses changes and removals is switched off or does not always act.",
        ),
        ("trigger zz on mes_grant is not ours", "A trigger “zz” on the table of “grant” (mes_grant) was added by somebody."),
        ("policy site on batches_lot is altered", "The guard of the table of “lot” (batches_lot) that keeps sites apart is altered."),
        ("row security on batches_lot is not forced", "The guard of the table of “lot” (batches_lot) that keeps sites apart is switched off."),
        ("function guard.record_now is altered", "The guards' function record_now is altered."),
        ("role cartulary_app goes past the guards", "role cartulary_app goes past the guards."),
    ],
)
def test_a_finding_is_told_in_words_and_kept_to_the_letter_with_its_mark(found, words):
    told = guard_words.said(f"{found} (now {MARK})")
    assert told.words == words and told.exact == f"{found} (now {MARK})"


@pytest.mark.req("AUD-05", case="negative")
@pytest.mark.django_db
def test_every_trigger_that_a_table_must_have_is_told_by_what_it_is_for():
    names = {name for table in guards.tables() for name in guards.triggers(table)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'guard\\_%%'")
        names |= {name for (name,) in cursor.fetchall()}
    for name in sorted(names):
        words = guard_words.said(f"trigger {name} on batches_lot is missing (now {MARK})").words
        assert words.startswith("The guard of ") and name not in words and not re.search(r"[0-9a-f]{16}", words), words
