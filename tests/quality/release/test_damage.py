"""Files and signatures that somebody with all rights changed past the application: found at reading, at signing, at verification and at release."""

import json
from contextlib import contextmanager

import psycopg
import pytest
from django.test import override_settings

from batches.dossier.queries.record import record_of
from batches.dossier.rendering import record_pdf, render_batch_record
from batches.execution.models import Attachment
from batches.execution.queries import run_by_key, step_content
from mes.audit import chain
from mes.audit.models import AuditEntry, StreamHead
from mes.clock import record_now
from mes.errors import RuleBroken
from mes.keys import uuid7
from mes.people.setup import system_actor
from mes.records import collector
from mes.signatures import seal_keys
from mes.signatures.models import Signature, SignaturePayload, SignatureSeal
from mes.verifier import run
from tests.builders.staff import signed_in


@pytest.fixture(scope="module")
def harmed(databases, django_db_setup, django_db_blocker, tmp_path_factory):
    """A site, committed: `lot` waits for the Qualified Person, `young` for the signature of its count; both hold a file."""
    from tests.builders.judged import Judged
    from tests.conftest import close_connections, pointing

    database, folder = databases.copy(), tmp_path_factory.mktemp("keys")
    with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=folder, ANCHORS_FOLDER=folder / "anchors"):
        site = Judged("HARM")
        site.lot, site.young = site.ready(), site.to_count()
        site.fill_count(site.young)
        site.database = database
        yield site
        close_connections()
    databases.drop(database.name)


@contextmanager
def past_the_application(site, *statements, undo=()):
    """A superuser with the guards of these tables off, committed; put back afterwards, so that the next test finds everything whole."""

    def run_all(several):
        with site.database.connect() as admin:
            admin.execute("SET session_replication_role = replica")
            tables = admin.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'guard\\_%'").fetchall()
            names = [row[0] for row in tables if any(row[0] in statement for statement, _ in several)]
            for name in names:
                admin.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
            for statement, values in several:
                assert admin.execute(statement, values).rowcount > 0, f"changed nothing: {statement}"
            for name in names:
                for (trigger,) in admin.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [name]).fetchall():
                    admin.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {trigger}")

    run_all(statements)
    try:
        yield
    finally:
        run_all(undo)


def verified(site):
    return run.verify(site.database.urls["VERIFY_DATABASE_URL"], key_lines=seal_keys.public_lines("HARM"))


def attached(site, lot) -> Attachment:
    with site.reading():
        return Attachment.objects.get(lot=lot)


def flip(site, kept):
    """One bit of one byte of a file in storage."""
    change = "UPDATE batches_attachment SET content = set_byte(content, 3, get_byte(content, 3) # 1) WHERE id = %s"
    return past_the_application(site, (change, [kept.pk]), undo=[(change, [kept.pk])])


def signatures(site, lot) -> int:
    with site.reading():
        return Signature.objects.filter(lot_id=lot.pk).count()


def test_untouched_everything_is_intact_and_every_seal_was_checked(harmed):
    report = verified(harmed)
    assert report.intact, [str(each) for each in report.findings.kept]
    assert report.signatures > 10 and report.notes == []
    unkeyed = run.verify(harmed.database.urls["VERIFY_DATABASE_URL"])
    assert unkeyed.intact and not unkeyed.complete and report.complete and report.sentence().endswith(", all intact")
    assert f"intact as far as checked. NOT checked, for nothing was given to check with: the seals of {report.signatures} signatures" in unkeyed.sentence()


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("DI-04", case="negative")
def test_a_flipped_byte_is_found_when_the_file_is_read_and_it_is_not_shown(harmed):
    kept = attached(harmed, harmed.young)
    browser = signed_in(harmed.users["maya"])
    address = f"/lots/{harmed.young.number}/steps/A1.2/file/{kept.pk}/"
    assert browser.get(address).content == bytes(kept.content)
    with flip(harmed, kept):
        answer = browser.get(address)
        assert answer.status_code == 409 and "not the one that was kept" in answer.content.decode()
        assert bytes(kept.content)[4:] not in answer.content
        with harmed.reading():
            record = record_of(harmed.fresh_in(harmed.young), record_now())
        (file,) = next(step for stage in record["stages"] for step in stage["steps"] if step["key"] == "A1.2")["files"]
        assert file["damaged"] and b"Not the file that was attached" in signed_in(harmed.users["maya"]).get(f"/lots/{harmed.young.number}/record/").content
        assert record_pdf(record)
    assert browser.get(address).status_code == 200


@pytest.mark.req("DI-04", case="negative")
@pytest.mark.req("SIG-05", case="negative")
def test_nobody_signs_over_a_file_that_fails(harmed):
    before = signatures(harmed, harmed.young)
    with flip(harmed, attached(harmed, harmed.young)):
        with pytest.raises(RuleBroken) as shown:
            harmed.perform(harmed.young, "A1.2")  # already showing what would be signed
        assert shown.value.code == "file_damaged" and "Nothing is signed over it" in shown.value.sentence
        assert "Nothing is signed over it" in signed_in(harmed.users["maya"]).get(f"/lots/{harmed.young.number}/steps/A1.2/sign/").content.decode()
    with harmed.reading():
        what = harmed.subject(harmed.young, "A1.2")
    proof = harmed.proof("maya", "maya", what, "performed")
    with flip(harmed, attached(harmed, harmed.young)), pytest.raises(RuleBroken) as signing:
        from batches.execution.services import perform_step

        run_now = harmed.run(harmed.young, "A1.2")
        perform_step(by=harmed.by("maya"), step_run_id=run_now.pk, seen=run_now.version, proof=proof)
    assert signing.value.code == "file_damaged" and signatures(harmed, harmed.young) == before


@pytest.mark.req("DI-04", case="negative")
@pytest.mark.req("REL-01", case="negative")
def test_a_flipped_byte_is_found_at_verification_and_at_release(harmed):
    kept = attached(harmed, harmed.lot)
    with flip(harmed, kept):
        first = verified(harmed).findings.first[f"lot:{harmed.lot.pk}"]
        assert (first.kind, first.table, first.row_id) == ("edit", "batches_attachment", str(kept.pk))
        lines = harmed.gate(harmed.lot)
        assert not lines["chain"].ok and not lines["signatures"].ok and "chain" in {code for code, line in lines.items() if line.blocking and not line.ok}
        with pytest.raises(RuleBroken) as refused:
            harmed.certify(harmed.lot)
        assert refused.value.code == "gate_closed"
    assert harmed.gate(harmed.lot)["chain"].ok and harmed.gate(harmed.lot)["signatures"].ok


@pytest.mark.req("DI-04", case="negative")
def test_two_swapped_files_are_both_found(harmed):
    one, other = attached(harmed, harmed.lot), attached(harmed, harmed.young)
    swap = (
        "UPDATE batches_attachment a SET content = b.content || %s, sha256 = encode(sha256(b.content || %s), 'hex') FROM batches_attachment b"
        " WHERE a.id = %s AND b.id = %s"
    )
    back = ("UPDATE batches_attachment SET content = %s, sha256 = %s WHERE id = %s")
    undo = [(back, [bytes(each.content), each.sha256, each.pk]) for each in (one, other)]
    with past_the_application(harmed, (swap, [b"1", b"1", one.pk, other.pk]), (swap, [b"2", b"2", other.pk, one.pk]), undo=undo):
        found = verified(harmed).findings.kept
        assert {each.row_id for each in found if each.table == "batches_attachment"} == {str(one.pk), str(other.pk)}
        lines = harmed.gate(harmed.lot)
        assert not lines["chain"].ok
    assert verified(harmed).intact


@pytest.mark.req("DI-04", case="negative")
def test_a_removed_file_is_found(harmed):
    kept = attached(harmed, harmed.lot)
    with harmed.database.connect() as admin:
        (row,) = admin.execute("SELECT to_jsonb(a)::text FROM batches_attachment a WHERE id = %s", [kept.pk]).fetchone()
    back = ("INSERT INTO batches_attachment SELECT * FROM jsonb_populate_record(NULL::batches_attachment, %s::jsonb)", [row])
    with past_the_application(harmed, ("DELETE FROM batches_attachment WHERE id = %s", [kept.pk]), undo=[back]):
        assert signed_in(harmed.users["maya"]).get(f"/lots/{harmed.lot.number}/steps/A1.2/file/{kept.pk}/").status_code == 404
        first = verified(harmed).findings.first[f"lot:{harmed.lot.pk}"]
        assert (first.kind, first.table, first.row_id) == ("missing", "batches_attachment", str(kept.pk))
        assert not harmed.gate(harmed.lot)["chain"].ok
        with harmed.reading():
            assert step_content(run_by_key(harmed.lot.number, "A1.2"))["files"] == []


@pytest.mark.req("DI-04", case="negative")
def test_a_paper_that_fails_is_not_shown(harmed):
    paper = render_batch_record(system_actor(harmed.place.site.pk), harmed.young.pk)
    browser = signed_in(harmed.users["maya"])
    change = "UPDATE batches_batchrecordpaper SET pdf = set_byte(pdf, 100, get_byte(pdf, 100) # 1) WHERE id = %s"
    with past_the_application(harmed, (change, [paper.pk]), undo=[(change, [paper.pk])]):
        for address in (f"/lots/{harmed.young.number}/record.pdf", f"/api/v1/lots/{harmed.young.number}/record/papers/{paper.number}/pdf/"):
            answer = browser.get(address)
            assert answer.status_code == 409 and b"%PDF" not in answer.content
    assert browser.get(f"/lots/{harmed.young.number}/record.pdf").content.startswith(b"%PDF")


# --- signatures -------------------------------------------------------------------------------------------------------

COPY = "INSERT INTO mes_signature SELECT (jsonb_populate_record(s, jsonb_build_object({changes}))).* FROM mes_signature s WHERE s.id = %s"


def a_signature(site) -> Signature:
    with site.reading():
        return Signature.objects.filter(lot_id=site.lot.pk, meaning="performed").select_related("payload", "seal").order_by("recorded_at").first()


@pytest.mark.req("SIG-05", case="negative")
@pytest.mark.parametrize(
    "statement",
    [
        COPY.format(changes="'id', gen_random_uuid(), 'intent_id', gen_random_uuid(), 'record_id', gen_random_uuid()"),
        COPY.format(changes="'id', gen_random_uuid(), 'intent_id', gen_random_uuid(), 'record_version', s.record_version + 1"),
        "UPDATE mes_signature SET record_id = gen_random_uuid() WHERE id = %s",
        "UPDATE mes_signature SET record_version = record_version + 1 WHERE id = %s",
        "DELETE FROM mes_signature WHERE id = %s",
    ],
)
def test_the_applications_role_copies_moves_and_removes_no_signature(harmed, statement):
    with harmed.database.connect("DATABASE_URL") as raw:
        raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(harmed.place.site.pk)])
        assert raw.execute("SELECT count(*) FROM mes_signature").fetchone()[0] > 5, "it sees them: the refusal is none of row security"
        with pytest.raises(psycopg.Error) as refused:
            raw.execute(statement, [a_signature(harmed).pk])
            raw.commit()
        assert refused.value.sqlstate in ("42501", "CT001", "CT002"), refused.value
    assert verified(harmed).intact


@pytest.mark.req("SIG-05", case="negative")
def test_a_superuser_who_moves_a_signature_to_another_record_or_version_is_found(harmed):
    made = a_signature(harmed)
    for column, changed in (("record_version", made.record_version + 1), ("record_id", uuid7())):
        back = (f"UPDATE mes_signature SET {column} = %s WHERE id = %s", [getattr(made, column), made.pk])
        with past_the_application(harmed, (f"UPDATE mes_signature SET {column} = %s WHERE id = %s", [changed, made.pk]), undo=[back]):
            kinds = {each.kind for each in verified(harmed).findings.kept if each.row_id == str(made.pk)}
        assert kinds == {"edit", "excised", "unsealed"}, column


@pytest.mark.req("SIG-17", case="negative")
@pytest.mark.req("SIG-05", case="negative")
def test_a_signature_inserted_with_its_bytes_a_copied_seal_and_a_whole_chain_lacks_only_the_key(harmed):
    made, new, stream = a_signature(harmed), uuid7(), f"lot:{harmed.lot.pk}"
    payload, seal = uuid7(), uuid7()
    insert = "INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({changes}))).* FROM {table} t WHERE {where} = %s"
    rows = [
        (insert.format(table="mes_signature", changes=f"'id', '{new}', 'intent_id', gen_random_uuid(), 'meaning', 'verified'", where="id"), [made.pk]),
        (insert.format(table="mes_signaturepayload", changes=f"'id', '{payload}', 'signature_id', '{new}'", where="signature_id"), [made.pk]),
        (insert.format(table="mes_signatureseal", changes=f"'id', '{seal}', 'signature_id', '{new}'", where="signature_id"), [made.pk]),
    ]
    gone = [(f"DELETE FROM {table} WHERE id = %s", [key]) for table, key in
            (("mes_signatureseal", seal), ("mes_signaturepayload", payload), ("mes_signature", new))]
    with past_the_application(harmed, *rows, undo=gone):
        assert {each.kind for each in verified(harmed).findings.kept if each.row_id == str(new)} == {"uncited", "unsealed"}
        with harmed.reading():
            models = {Signature: new, SignaturePayload: payload, SignatureSeal: seal}
            cited = [[model._meta.db_table, str(key), "1", collector.schema_of(model), digest_of(model.objects.get(pk=key))] for model, key in models.items()]
            head, last = StreamHead.objects.get(stream=stream), AuditEntry.objects.filter(stream=stream).order_by("-seq").first()
            kept = bytes(head.hash)
        said = json.loads(bytes(last.canon)) | {"id": str(uuid7()), "seq": str(head.seq + 1), "prev": kept.hex(), "rows": cited, "siblings": []}
        canon = chain.entry_canon(said)
        entry = (
            "INSERT INTO mes_auditentry SELECT (jsonb_populate_record(e, jsonb_build_object('id', %s::text, 'seq', %s::int))).*"
            " FROM mes_auditentry e WHERE e.id = %s",
            [said["id"], head.seq + 1, last.pk],
        )
        bytes_of = ("UPDATE mes_auditentry SET canon = %s, prev_hash = %s, hash = %s WHERE id = %s", [canon, kept, chain.entry_hash(canon), said["id"]])
        audit_rows = [
            ('INSERT INTO mes_auditrow (entry_id, site_id, lot_id, "table", row_id, version, schema, digest) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)',
             [said["id"], harmed.place.site.pk, harmed.lot.pk, each[0], each[1], 1, each[3], bytes.fromhex(each[4])])
            for each in cited
        ]
        moved = "UPDATE mes_streamhead SET seq = %s, hash = %s WHERE stream = %s"
        undo = [
            ("DELETE FROM mes_auditrow WHERE entry_id = %s", [said["id"]]), ("DELETE FROM mes_auditentry WHERE id = %s", [said["id"]]),
            (moved, [head.seq, kept, stream]),
        ]
        forged = [entry, bytes_of, *audit_rows, (moved, [head.seq + 1, chain.entry_hash(canon), stream])]
        with past_the_application(harmed, *forged, undo=undo):
            report = verified(harmed)
            assert [(each.kind, each.row_id, each.seq) for each in report.findings.kept] == [("unsealed", str(new), head.seq + 1)], [
                str(each) for each in report.findings.kept
            ]
            assert "not the site's seal" in report.findings.kept[0].sentence
    assert verified(harmed).intact


def digest_of(row) -> str:
    return chain.row_digest({column: getattr(row, name) for column, name in collector.digest_columns(type(row))}).hex()
