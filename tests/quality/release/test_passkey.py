"""A lot certified with a passkey, over the API: the proof leaves the building with the evidence and is checked by a program that is alone with it."""

import io
import json
import uuid
import zipfile

import pytest

from mes.evidence import container
from mes.passkeys import webauthn
from mes.signatures import seal_keys
from mes.signatures.models import Signature
from mes.verifier import evidence
from quality.release import evidence_file
from quality.release.rendering import render_certificate
from tests.builders.passkeys import Device, enrol_passkey
from tests.builders.staff import PASSWORD, signed_in
from tests.quality.release.test_evidence_file import alone, keys_of, verifier  # noqa: F401 - a fixture


def certify(judged, lot, device: Device, **wrong):
    """As a client of the API does: prepared, asked, signed."""
    browser, address = signed_in(judged.users["ruth"]), f"/api/v1/lots/{lot.number}/certify/?stage=stage_1"
    shown = browser.get(address).json()
    sent = {"intent": shown["intent"], "username": judged.users["ruth"].username, "secret": PASSWORD}
    asked = post(browser, address, sent | {"ask_passkey": True})
    assert asked.status_code == 200, asked.content
    challenge = webauthn.raw(asked.json()["publicKey"]["challenge"])
    assert challenge == webauthn.challenge_of(nonce_of(shown["intent"]), bytes.fromhex(shown["digest"]))
    return post(browser, address, sent | {"passkey": device.answer(challenge, **wrong)})


def post(browser, address, body):
    return browser.post(address, body, content_type="application/json", headers={"Idempotency-Key": uuid.uuid4().hex})


def nonce_of(intent) -> bytes:
    from mes.signatures.models import SigningIntent

    return bytes(SigningIntent.objects.get(pk=intent).nonce)


@pytest.mark.req("SIG-05", case="positive")
@pytest.mark.req("SIG-17", case="positive")
@pytest.mark.req("SIG-05", case="negative")
def test_the_proof_of_a_passkey_leaves_with_the_evidence_and_one_changed_byte_is_named(judged, verifier, tmp_path):  # noqa: F811
    lot, device = judged.ready(), enrol_passkey(judged.place, judged.users["ruth"])
    refused = certify(judged, lot, device, flags=1)
    assert (refused.status_code, refused.json()["code"]) == (403, "passkey_unverified")
    answer = certify(judged, lot, device)
    assert answer.status_code == 201, answer.content
    with judged.reading():
        signature = Signature.objects.get(pk=answer.json()["id"])
        assert signature.auth_methods[-1] == "passkey" and signature.assertion.lot_id == lot.pk
    _, content = evidence_file.evidence_file(judged.by("ruth"), lot.number)
    (tmp_path / "lot.zip").write_bytes(content)
    (tmp_path / "KEY.txt").write_text(keys_of(judged))
    done = alone(verifier, tmp_path, "--evidence", "lot.zip", "--key", "KEY.txt", "--json")
    assert (done.returncode, json.loads(done.stdout)["findings"], done.stderr) == (0, [], "")
    assert seal_keys.public_lines(judged.place.site.code)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    kept = [name for name in members if name.startswith("files/mes_signatureassertion/")]
    assert {name.split(".")[2] for name in kept} >= {"public_key", "client_data", "proof"}
    for name in kept:
        spoilt = bytearray(members[name])
        spoilt[len(spoilt) // 2] ^= 1
        (tmp_path / "lot.zip").write_bytes(container.pack((members | {name: bytes(spoilt)}).items()))
        found = evidence.verify(str(tmp_path / "lot.zip"), str(tmp_path / "KEY.txt")).findings
        assert {"unproven", "unsealed", "edit"} == set(found.by_kind), name
        assert next(each.row_id for each in found.kept if each.kind == "unproven") == str(signature.pk)


def test_the_certificate_says_that_it_was_a_passkey(judged, monkeypatch):
    from mes.people.setup import system_actor
    from quality.release import paper
    from quality.release.models import ReleaseDecision

    lot, device = judged.ready(), enrol_passkey(judged.place, judged.users["ruth"])
    certify(judged, lot, device)
    drawn, render = [], paper.render_paper
    monkeypatch.setattr(paper, "render_paper", lambda html, **more: drawn.append(html) or render(html, **more))
    with judged.reading():
        decision = ReleaseDecision.objects.get(lot=lot)
    render_certificate(system_actor(judged.place.site.pk), decision.pk)
    assert "by user name, password and passkey" in drawn[0]


@pytest.mark.req("SIG-13", case="positive")
def test_a_passkey_under_suspicion_is_told_once(judged):
    from mes.passkeys.services import suspect_passkey
    from mes.people.setup import system_actor
    from quality import watch
    from quality.alerts.models import Alert
    from tests.builders.passkeys import passkey_of

    kept, jobs = passkey_of(enrol_passkey(judged.place, judged.users["ruth"])), system_actor(judged.place.site.pk)
    assert watch.locked_people(jobs) == 0
    suspect_passkey(by=judged.by("ruth"), passkey_id=kept.pk, reason="Its counter did not grow")
    assert watch.locked_people(jobs) == watch.locked_people(jobs) == 1
    with judged.reading():
        assert Alert.objects.filter(title__contains="copy of the passkey Grey key of Ruth Demo").count() == 1
