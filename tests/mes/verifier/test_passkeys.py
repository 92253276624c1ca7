"""A passkey's proof is checked again from its bytes, by code that shares nothing with what wrote it (SIG-05, SIG-17)."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from mes.signatures import ceremony, seal_keys, seals
from mes.signatures.models import Signature, SignatureAssertion, SignatureSeal
from mes.signatures.services import sign
from mes.verifier import cose, passkeys, run, signatures
from tests.builders.passkeys import Device, cbor

VECTORS = json.loads(Path(__file__).with_name("passkey_vectors.json").read_text())
"""Made once and never again: what a format wrote is read for as long as records are kept (RET-07)."""


# --- keys -------------------------------------------------------------------------------------------------------------


def test_the_published_example_of_p256_is_a_signature_and_nothing_near_it():
    """RFC 6979, A.2.5: message "sample", SHA-256."""
    x = bytes.fromhex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6")
    y = bytes.fromhex("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299")
    r = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    s = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    key, der = cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y}), bytes.fromhex(f"3046022100{r}022100{s}")
    assert cose.is_signed(key, b"sample", der)
    assert not cose.is_signed(key, b"Sample", der)
    assert not cose.is_signed(key, b"sample", der + b"\x00")
    assert not cose.is_signed(key, b"sample", bytes.fromhex(f"304502{'21'}00{r}0220{s}"))
    with pytest.raises(cose.NoKey):
        cose.is_signed(cbor({1: 2, 3: -7, -1: 1, -2: x, -3: x}), b"sample", der)


@pytest.mark.parametrize("algorithm", [-7, -8, -257])
def test_each_kind_of_key_agrees_with_a_library_on_what_is_signed(algorithm):
    device = Device(algorithm)
    for message in (b"", b"one", b"x" * 1000):
        proof = device.sign(message)
        assert cose.is_signed(device.cose, message, proof)
        assert not cose.is_signed(device.cose, message + b"\x00", proof)
        assert not cose.is_signed(Device(algorithm).cose, message, proof)
        for at in (0, len(proof) // 2, len(proof) - 1):
            spoilt = bytearray(proof)
            spoilt[at] ^= 1
            assert not cose.is_signed(device.cose, message, bytes(spoilt))


def test_signatures_of_many_keys_hold():
    for _ in range(20):
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.public_key().public_numbers()
        cose_key = cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        assert cose.is_signed(cose_key, b"m", key.sign(b"m", ec.ECDSA(hashes.SHA256())))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00", b"\xa1", b"\xa1\x01", b"\xa1\x01\x02\x00", b"\xa1\x01\x5f", b"\xbf\xff", b"\xa1\x01\x42\x00",
        cbor({1: 2, 3: -35}), cbor({1: 3, 3: -257, -1: b"\x05", -2: b"\x03"}),
    ],
)  # fmt: skip
def test_what_is_no_key_of_these_kinds_is_told(raw):
    with pytest.raises(cose.NoKey):
        cose.is_signed(raw, b"m", b"s")


# --- golden vectors ---------------------------------------------------------------------------------------------------


@pytest.mark.req("SIG-17", case="positive")
@pytest.mark.parametrize("name", sorted(VECTORS))
def test_what_format_v1_wrote_is_read_and_sealed_the_same(name):
    kept = VECTORS[name]
    assert list(passkeys.check(kept["signature"], kept["assertion"])) == []
    assert signatures.statement(kept["signature"], kept["assertion"]).decode() == kept["sealed"]


@pytest.mark.req("SIG-05", case="negative")
@pytest.mark.parametrize("name", sorted(VECTORS))
@pytest.mark.parametrize("column", ["public_key", "nonce", "authenticator_data", "client_data", "proof", "relying_party", "payload_digest"])
def test_one_changed_byte_of_a_proof_breaks_it(name, column):
    kept = copy.deepcopy(VECTORS[name])
    holder = kept["signature" if column == "payload_digest" else "assertion"]
    whole = holder[column]
    if column == "relying_party":
        holder[column] = "localhosT"
        assert {kind for kind, _ in passkeys.check(kept["signature"], kept["assertion"])} == {"unproven"}
        return
    for at in range(0, len(whole) // 2, 7):
        spoilt = bytearray(bytes.fromhex(whole))
        spoilt[at] ^= 1
        holder[column] = spoilt.hex()
        assert {kind for kind, _ in passkeys.check(kept["signature"], kept["assertion"])} == {"unproven"}, at


@pytest.mark.req("SIG-02", case="negative")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"flags": 0x01}, "did not check who was there"), ({"origin": "https://localhost.example"}, "another address"),
        ({"host": "example.com"}, "another address"),
        ({"kind": "webauthn.create"}, "something else"), ({"challenge": b"\x00" * 32}, "something else"),
    ],
)  # fmt: skip
def test_a_proof_with_a_right_signature_over_something_else_is_told(wrong, words):
    kept, device = copy.deepcopy(VECTORS["ES256"]), Device()
    from mes.passkeys import webauthn

    digest, nonce = bytes.fromhex(kept["signature"]["payload_digest"]), bytes.fromhex(kept["assertion"]["nonce"])
    said = webauthn.read_assertion(device.answer(wrong.pop("challenge", webauthn.challenge_of(nonce, digest)), **wrong))
    kept["assertion"] |= {
        "public_key": device.cose.hex(), "authenticator_data": said.authenticator_data.hex(), "client_data": said.client_data.hex(),
        "proof": said.signature.hex(),
    }  # fmt: skip
    ((kind, sentence),) = passkeys.check(kept["signature"], kept["assertion"])
    assert kind == "unproven" and words in sentence


def test_a_proof_that_is_gone_or_put_where_none_was_is_told():
    kept = copy.deepcopy(VECTORS["ES256"])
    assert list(passkeys.check(kept["signature"], None)) == [("missing", "it was made with a passkey, whose proof is not there")]
    kept["signature"]["auth_methods"] = '["badge or user name","password","one-time code"]'
    assert [kind for kind, _ in passkeys.check(kept["signature"], kept["assertion"])] == ["unproven"]
    assert list(passkeys.check(kept["signature"], None)) == []


# --- in a database ----------------------------------------------------------------------------------------------------


@pytest.mark.req("SIG-05", case="positive")
@pytest.mark.req("SIG-17", case="negative")
def test_in_a_database_the_proof_is_sealed_with_the_signature_and_a_changed_byte_is_named(committed_db, settings, tmp_path):
    from tests.builders.passkeys import enrol_passkey
    from tests.builders.staff import PASSWORD, open_site
    from tests.mes.signatures.signing_urls import subject

    settings.KEYS_FOLDER = tmp_path / "keys"
    place = open_site()
    ruben = place.person("ruben", "qa_release")
    by, device = place.actor(ruben), enrol_passkey(place, ruben)
    from mes.passkeys import webauthn
    from mes.records.context import site_context

    with site_context(place.site.pk):
        what = subject(place.role("operator").pk)
    intent = ceremony.prepare(by, what, "certified_stage_1")
    asked = ceremony.ask_passkey(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD)
    said = device.answer(webauthn.raw(asked["challenge"]))
    proof = ceremony.authenticate(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD, passkey=said)
    signature = sign(by=by, proof=proof, what=what, meaning="certified_stage_1", stream=f"site:{place.site.pk}")
    with site_context(place.site.pk):
        signature, kept = Signature.objects.get(pk=signature.pk), SignatureAssertion.objects.get(signature=signature)
        seal = bytes(SignatureSeal.objects.get(signature=signature).seal)
    seals.key_of(place.site.pk, place.site.code).public_key().verify(seal, seals.statement(signature, kept))
    columns = {name: seals.column_text(getattr(signature, name)) for name in (*signatures.SEALED, "auth_methods")}
    said = {name: seals.column_text(getattr(kept, name)) for name in passkeys.COLUMNS}
    assert signatures.statement(columns, said) == seals.statement(signature, kept) != seals.statement(signature)

    lines = seal_keys.public_lines(place.site.code)
    url = committed_db.urls["VERIFY_DATABASE_URL"]
    report = run.verify(url, key_lines=lines)
    assert report.intact, [str(each) for each in report.findings.kept]
    with committed_db.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("ALTER TABLE mes_signatureassertion DISABLE TRIGGER ALL")
        connection.execute("UPDATE mes_signatureassertion SET proof = set_byte(proof, 10, get_byte(proof, 10) # 1)")
    found = run.verify(url, key_lines=lines).findings
    assert found.by_kind == {"edit": 1, "unproven": 1, "unsealed": 1}


@pytest.mark.req("SIG-05", case="negative")
@pytest.mark.req("SIG-17", case="negative")
def test_in_a_database_a_sealed_proof_by_a_key_that_its_signer_never_enrolled_is_named(committed_db, settings, tmp_path):
    """Somebody holds the server with its seal key, and puts a key of their own in the place of the signer's."""
    from tests.builders.passkeys import enrol_passkey
    from tests.builders.staff import PASSWORD, open_site
    from tests.mes.signatures.signing_urls import subject

    settings.KEYS_FOLDER = tmp_path / "keys"
    place = open_site()
    ruben = place.person("ruben", "qa_release")
    by, device, forged = place.actor(ruben), enrol_passkey(place, ruben), Device()
    from mes.passkeys import webauthn
    from mes.records.context import site_context

    with site_context(place.site.pk):
        what = subject(place.role("operator").pk)
    intent = ceremony.prepare(by, what, "certified_stage_1")
    asked = webauthn.raw(ceremony.ask_passkey(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD)["challenge"])
    proof = ceremony.authenticate(by=by, intent_id=intent.pk, username="ruben", secret=PASSWORD, passkey=device.answer(asked))
    proof.asserted.passkey.public_key = forged.cose
    proof = dataclasses.replace(proof, asserted=dataclasses.replace(proof.asserted, said=webauthn.read_assertion(forged.answer(asked))))
    sign(by=by, proof=proof, what=what, meaning="certified_stage_1", stream=f"site:{place.site.pk}")
    found = run.verify(committed_db.urls["VERIFY_DATABASE_URL"], key_lines=seal_keys.public_lines(place.site.code)).findings
    assert [(each.kind, each.sentence) for each in found.kept] == [("unproven", "the passkey's key is not the one that the signer enrolled")]
