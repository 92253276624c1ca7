"""A planted patient's name, number and date of birth, looked for everywhere after a whole flow (COI-02)."""

import logging
import uuid

import pytest
from django.db import connection

from batches.custody import queries as custody_queries
from batches.custody import services as custody
from batches.lots import services as lots
from batches.subjects import services as subjects
from mes.errors import RuleBroken
from tests.builders.registers import CENTRE, din, identity
from tests.builders.staff import PASSWORD, signed_in

CANARY = {"family": "Zyxwvcanary", "given": "Qwopcanary", "born": "1931-02-17", "number": "HNCANARY4711"}
NEEDLES = ["zyxwvcanary", "qwopcanary", "hncanary4711", "1931-02-17", "19310217"]


def text_columns() -> list[tuple[str, str, str]]:
    """Every column of every table that can hold text, also inside JSON, arrays and bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'bytea')"
        )
        return cursor.fetchall()


def found_in_database(site_id) -> tuple[list[str], int]:
    found, columns = [], text_columns()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cartulary.site', %s, true)", [str(site_id)])
        for table, column, kind in columns:
            as_text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for needle in NEEDLES:
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE lower({as_text}) LIKE %s', [f"%{needle}%"])
                if cursor.fetchone()[0]:
                    found.append(f"{table}.{column}: {needle}")
        cursor.execute("SELECT set_config('cartulary.site', '', true)")
    return found, len(columns)


def flow(world, monkeypatch) -> set[str]:
    """Everything in which a patient's identity is typed, read, printed, refused or corrected; returns the addresses visited."""
    addresses = set()
    world.by("sam")
    sam = signed_in(world.users["sam"])
    order = {"market": "US", "cohort": "", "recipe": str(world.version().pk), "dins": din()} | CENTRE
    person = {"family_name": CANARY["family"], "given_name": CANARY["given"], "born": CANARY["born"], "hospital_number": CANARY["number"]}
    refused = sam.post("/lots/new/", order | person | {"market": "XX"})
    assert refused.status_code == 422
    done = sam.post("/lots/new/", order | person)
    assert done.status_code == 303, done.content.decode()[-2000:]
    addresses.add(done["Location"])
    assert sam.post("/lots/new/", order | person | {"hospital_number": "HN-8"}).status_code == 409  # a namesake: refused, and kept as such
    api = world.staffed, sam.get("/api/v1/session/").json()["csrf_token"]
    body = {
        "patient": person | {"born": "no date " + CANARY["born"]},
        "recipe": "ARI-0001-A",
        "recipe_version": "1.0",
        "market": "EU",
        "dins": [din(2)],
    } | CENTRE
    sent = sam.post("/api/v1/lots/", body, content_type="application/json", headers={"X-CSRFToken": api[1], "Idempotency-Key": str(uuid.uuid4())})
    assert sent.status_code == 422 and not any(needle in sent.content.decode().lower() for needle in NEEDLES)
    body["patient"] = person
    second = sam.post("/api/v1/lots/", body, content_type="application/json", headers={"X-CSRFToken": api[1], "Idempotency-Key": str(uuid.uuid4())})
    assert second.status_code == 201, second.content.decode()
    assert not any(needle in second.content.decode().lower() for needle in NEEDLES)
    addresses.add(second["Location"])
    lot = world.read(lambda: lots.orders.Lot.objects.get(number="UTR-26-0001"))
    patient = world.read(lambda: lot.therapy_event.patient)
    subjects.read_identity(by=world.by("nora"), patient_id=patient.pk, purpose="bedside")
    with pytest.raises(RuleBroken):
        subjects.read_identity(by=world.by("olga"), patient_id=patient.pk, purpose="bedside")
    with pytest.raises(RuleBroken):
        subjects.correct_identity(
            by=world.by("sam"), patient_id=patient.pk, seen=1, identity=identity(**CANARY), reason=f"It is {CANARY['family']}, spelled so."
        )
    subjects.correct_identity(by=world.by("sam"), patient_id=patient.pk, seen=1, identity=identity(**CANARY), reason="Two digits were swapped.")
    world.decided(lot)
    lots.start_lot(by=world.by("olga"), lot_id=lot.pk)
    values = {"product_expiry": "2026-12-01 10:00", "fill_volume": "50.0 mL"}
    monkeypatch.setattr(custody_queries, "recorded_text", lambda lot, parameter: values.get(parameter, ""))
    bag = lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="final_bag")
    label = custody.print_label(by=world.by("olga"), container_id=bag.pk)
    _, pdf = custody.open_specimen(by=world.by("olga"), label_id=label.pk)
    assert pdf.startswith(b"%PDF")
    return addresses


@pytest.mark.req("COI-02", case="negative")
def test_a_planted_patient_is_found_in_no_column_log_or_address(world, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    addresses = flow(world, monkeypatch)
    found, columns = found_in_database(world.site.pk)
    assert columns > 300, "the search must reach the tables"
    assert found == []
    said = " ".join(f"{record.getMessage()} {record.args} {record.__dict__}" for record in caplog.records if not record.name.startswith("fontTools"))
    assert not any(needle in said.lower() for needle in NEEDLES)
    assert not any(needle in address.lower() for needle in NEEDLES for address in addresses)


def test_the_search_itself_finds_what_is_in_the_open(world, monkeypatch):
    world.order(physician_name=f"Dr {CANARY['family']}")
    found, _ = found_in_database(world.site.pk)
    assert "batches_therapyevent.physician_name: zyxwvcanary" in found and any(name.startswith("batches_therapyeventhistory") for name in found)


def test_a_session_or_form_token_keeps_nothing_either(world):
    world.by("sam")
    client = signed_in(world.users["sam"], password=PASSWORD)
    form = {"family_name": CANARY["family"], "given_name": CANARY["given"], "born": CANARY["born"], "hospital_number": CANARY["number"]}
    client.post("/lots/new/", form | {"once": "t" * 24})
    assert found_in_database(world.site.pk)[0] == []
