"""What somebody with every right can do to a trail, each with what is to be found."""

from dataclasses import dataclass, field

NEW_ID = "01900000-0000-7000-8000-000000000001"


@dataclass
class Break:
    """What somebody with every right does to one stream, and what is to be found there first."""

    kind: str
    statements: tuple[str, ...]
    seq: int | None = None
    table: str = ""
    words: str = ""
    values: dict = field(default_factory=dict)


def changed_entry(change: str, words: str) -> Break:
    return Break("edit", (f"UPDATE mes_auditentry SET {change} WHERE stream = %(stream)s AND seq = 2",), 2, words=words)


#: The subselect of the second entry of the stream.
SECOND = "(SELECT id FROM mes_auditentry WHERE stream = %(stream)s AND seq = 2)"

BREAKS = {
    "value_of_a_version": Break(
        "edit",
        ("UPDATE mes_qualificationhistory SET title = 'Anything' WHERE user_id = %(user)s",),
        table="mes_qualification",
        words="not those that were sealed",
    ),
    "person_of_a_version": Break(
        "edit",
        ("UPDATE mes_qualificationhistory SET history_user_id = %(user)s WHERE user_id = %(user)s",),
        table="mes_qualification",
        words="another person",
    ),
    "reason_of_a_version": Break(
        "edit",
        ("UPDATE mes_qualificationhistory SET history_change_reason = 'Anything' WHERE user_id = %(user)s",),
        table="mes_qualification",
        words="another reason",
    ),
    "time_of_a_version": Break(
        "edit",
        ("UPDATE mes_qualificationhistory SET history_date = history_date - interval '1 day' WHERE user_id = %(user)s",),
        table="mes_qualification",
        words="another time",
    ),
    "time_of_a_version_that_is_none": Break(
        "edit", ("UPDATE mes_qualificationhistory SET history_date = 'infinity' WHERE user_id = %(user)s",), table="mes_qualification", words="another time"
    ),
    "value_of_a_live_record": Break("edit", ("UPDATE mes_user SET full_name = 'Else' WHERE id = %(user)s",), table="mes_user", words="full_name"),
    "value_of_a_fact": Break("edit", ("UPDATE mes_usedcode SET time_step = 7 WHERE by_id = %(user)s",), table="mes_usedcode"),
    "reason_of_an_entry": changed_entry("reason = 'another reason'", "reason"),
    "name_in_an_entry": changed_entry("by_name = 'Somebody Else'", "by_name"),
    "event_of_an_entry": changed_entry("events = '[\"mes.signed_in\"]'", "events"),
    "time_of_an_entry": changed_entry("at = at - interval '1 day'", "at"),
    "lot_of_an_entry": changed_entry("lot_id = id", "lot_id"),
    "link_of_an_entry": changed_entry("prev_hash = decode(repeat('ab', 32), 'hex')", "prev_hash"),
    "bytes_of_an_entry": changed_entry("canon = canon || '\\x20'::bytea", "hash"),
    "hash_of_an_entry": changed_entry("hash = decode(repeat('ab', 32), 'hex')", "hash"),
    "format_of_an_entry": changed_entry("canon = '{}'::bytea, hash = sha256('cartulary:entry:v1\\000{}'::bytea)", "not an entry"),
    "entry_deleted": Break("gap", ("DELETE FROM mes_auditentry WHERE stream = %(stream)s AND seq = 3",), 4, words="#3 is missing"),
    "entries_swapped": Break(
        "swap",
        (
            "UPDATE mes_auditentry SET seq = 999 WHERE stream = %(stream)s AND seq = 2",
            "UPDATE mes_auditentry SET seq = 2 WHERE stream = %(stream)s AND seq = 3",
            "UPDATE mes_auditentry SET seq = 3 WHERE stream = %(stream)s AND seq = 999",
        ),
        2,
    ),
    "end_cut_off": Break("truncation", ("DELETE FROM mes_auditentry WHERE stream = %(stream)s AND seq >= 4",), 4),
    "everything_cut_off": Break("truncation", ("DELETE FROM mes_auditentry WHERE stream = %(stream)s",), 1),
    "version_inserted": Break(
        "uncited",
        (
            "CREATE TEMP TABLE more AS SELECT * FROM mes_userhistory WHERE id = %(user)s AND version = 1",
            "UPDATE more SET version = 99, history_id = gen_random_uuid()",
            "INSERT INTO mes_userhistory SELECT * FROM more",
        ),
        table="mes_user",
    ),
    "record_deleted": Break("missing", ("DELETE FROM mes_qualification WHERE user_id = %(user)s",), table="mes_qualification"),
    "version_deleted": Break(
        "missing",
        ("DELETE FROM mes_qualificationhistory WHERE user_id = %(user)s",),
        table="mes_qualification",
        words="row it cites is not there",
    ),
    "audit_row_deleted": Break("missing", (f"DELETE FROM mes_auditrow WHERE entry_id = {SECOND}",), 2),
    "audit_row_changed": Break("edit", (f"UPDATE mes_auditrow SET digest = decode(repeat('00', 32), 'hex') WHERE entry_id = {SECOND}",), 2),
    "audit_row_moved": Break("missing", (f"UPDATE mes_auditrow SET version = 77 WHERE entry_id = {SECOND}",), 2),
    "column_list_changed": Break("missing", ("UPDATE mes_rowschema SET columns = '[\"id\"]' WHERE \"table\" = 'mes_personlock'",), words="column list"),
    "head_moved_back": Break("fork", ("UPDATE mes_streamhead SET seq = seq - 1 WHERE stream = %(stream)s",)),
    "head_changed": Break("fork", ("UPDATE mes_streamhead SET hash = decode(repeat('00', 32), 'hex') WHERE stream = %(stream)s",)),
    "head_deleted": Break("missing", ("DELETE FROM mes_streamhead WHERE stream = %(stream)s",)),
    "entry_doubled": Break(
        "swap",
        (
            "CREATE TEMP TABLE twin AS SELECT * FROM mes_auditentry WHERE stream = %(stream)s AND seq = 2",
            "UPDATE twin SET id = gen_random_uuid(), seq = 6",
            "INSERT INTO mes_auditentry SELECT * FROM twin",
        ),
        6,
    ),
}
