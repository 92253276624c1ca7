"""Somebody reads what is not theirs."""

import pytest
from django.test import Client

from batches.subjects.services import read_identity
from quality.roles import ROLES
from tests.builders.staff import PASSWORD, open_site

DANGER = "somebody reads what is not theirs"


def browser(siege, who: str) -> Client:
    client = Client()
    assert client.post("/sign-in/", {"username": siege.users[who].username, "password": PASSWORD}).status_code == 302
    return client


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.parametrize("path", ["steps/A1.2/", "steps/A1.2/sign/", "results/", "samples/", "evidence/", "record/"])
def test_the_treatment_centre_reads_the_batch_record(siege, attack, path):
    """As the treatment centre: the values of a step, what is signed there, results, the whole evidence, the record"""
    attack.answered(browser(siege, "tess").get(f"/api/v1/lots/{siege.lot.number}/{path}"), 403)


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.parametrize("path", ["steps/A1.2/", "steps/A1.2/sign/", "steps/A1.2/corrections/", "record/"])
def test_the_treatment_centre_reads_pages_of_the_record(siege, attack, path):
    """The same on the pages: a step, its signing page, its corrections, the record"""
    attack.answered(browser(siege, "tess").get(f"/lots/{siege.lot.number}/{path}"), 403)


@pytest.mark.req("ACC-07", case="negative")
@pytest.mark.parametrize("path", ["", "record/", "certificate/", "steps/A1.2/", "review/", "release/"])
def test_an_administrator_reads_a_lot(siege, attack, path):
    """As the administrator: a lot, its record, certificate, steps, review and release"""
    attack.answered(browser(siege, "adm").get(f"/lots/{siege.lot.number}/{path}"), 403)


@pytest.mark.req("ACC-03", case="negative")
def test_another_site_reads_by_number_and_id(siege, attack):
    """From another site: lot, certificate, gate, evidence, trail and patient of this one, by guessed number and key"""
    other = open_site("OTHER", "Other site", roles=ROLES)
    user = other.person("ruth.other", "qa_release", "qa_reviewer")
    client = Client()
    client.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    number = siege.lot.number
    with siege.reading():
        subject = siege.fresh_in(siege.lot).therapy_event.patient.pseudonym
    for path in (
        f"/lots/{number}/", f"/lots/{number}/certificate/", f"/lots/{number}/certificate.pdf", f"/lots/{number}/release/", f"/api/v1/lots/{number}/",
        f"/api/v1/lots/{number}/gate/", f"/api/v1/lots/{number}/evidence/", f"/api/v1/lots/{number}/steps/A1.2/", f"/patients/{subject}/",
    ):  # fmt: skip
        attack.answered(client.get(path), 404)
    trail = client.get(f"/audit/stream/lot/{siege.lot.pk}/export.csv")
    assert b"".join(trail.streaming_content).count(b"\n") == 1
    attack.came_of_it("an empty trail")


@pytest.mark.req("COI-02", case="negative")
def test_the_patient_is_found_in_record_trail_evidence_and_log(siege, raw, attack):
    """Look for the patient's name, birthday and hospital number in every text of the database"""
    with siege.reading():
        patient = siege.fresh_in(siege.lot).therapy_event.patient_id
    identity = read_identity(by=siege.by("sam"), patient_id=patient, purpose="order")[1]
    with siege.database.connect() as admin:
        found = []
        columns = admin.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN "
            "('text', 'character varying', 'jsonb', 'bytea') ORDER BY 1, 2"
        ).fetchall()
        for table, column in columns:
            said = f"encode(\"{column}\", 'escape')" if column in ("canon", "content", "pdf", "answer") else f'"{column}"::text'
            for word in (identity.family_name, identity.hospital_number):
                if admin.execute(f'SELECT 1 FROM "{table}" WHERE {said} LIKE %s LIMIT 1', [f"%{word}%"]).fetchone():
                    found.append((table, column))
    assert len(columns) > 200 and not found, found
    attack.came_of_it("found nowhere")


@pytest.mark.req("REL-04", case="negative")
def test_a_stranger_guesses_at_the_page_that_checks_certificates(siege, attack):
    """Without signing in: guess codes of certificates, with signs of LIKE, of another site, with a character zero"""
    for code in ("SIEGE-" + "A" * 24, "SIEGE-" + "%" * 24, "' OR 1=1 --", "SIEGE-AAAA%00", "SIEGE-../../x"):
        answer = Client().get(f"/verify/?code={code}")
        assert answer.status_code in (400, 404, 422), (code, answer.status_code)
    attack.came_of_it("unknown to the page")
