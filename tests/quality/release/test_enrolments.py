"""Evidence holds the enrolment of each passkey that signed, so that a stranger sees that the key was the signer's own (SIG-05, SIG-17)."""

import base64
import io
import json
import zipfile

import pytest

from mes.audit.chain import canonical_json
from mes.evidence import container
from mes.passkeys import queries as passkeys
from mes.passkeys.services import retire_passkey
from mes.signatures import seal_keys, seals
from mes.verifier import evidence
from quality.release import evidence_file
from tests.builders.passkeys import Device, enrol_passkey
from tests.quality.release.test_evidence_file import keys_of
from tests.quality.release.test_passkey import certify

ENROLMENTS = "enrolments.jsonl"


class File:
    """An evidence file in somebody's hands who holds the site's seal key, and what the verifier says of it."""

    def __init__(self, judged, lot, folder):
        self.judged, self.folder = judged, folder
        _, self.content = evidence_file.evidence_file(judged.by("ruth"), lot.number)
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        (folder / "KEY.txt").write_text(keys_of(judged))

    def said(self) -> list[dict]:
        return [json.loads(line) for line in self.members[ENROLMENTS].splitlines()]

    def holding(self, enrolments: list[dict] | None) -> bytes:
        """The same file with these enrolments, or without the member, sealed anew."""
        kept = {name: content for name, content in self.members.items() if name not in (container.MANIFEST, container.SEAL, ENROLMENTS)}
        if enrolments is not None:
            kept[ENROLMENTS] = b"".join(canonical_json(each).encode() + b"\n" for each in enrolments)
        about = json.loads(self.members[container.MANIFEST])
        manifest = container.manifest_of({name: value for name, value in about.items() if name not in ("members", "format")}, kept)
        site = self.judged.place.site
        with self.judged.reading():
            key = seals.key_of(site.pk, site.code)
        seal = {"key_name": seal_keys.key_name(site.code), "seal": base64.b64encode(key.sign(container.SEAL_DOMAIN + manifest)).decode()}
        return container.pack([(container.MANIFEST, manifest), (container.SEAL, canonical_json(seal).encode()), *kept.items()])

    def report(self, content: bytes | None = None):
        (self.folder / "lot.zip").write_bytes(content or self.content)
        return evidence.verify(str(self.folder / "lot.zip"), str(self.folder / "KEY.txt"))


@pytest.fixture
def file(judged, tmp_path):
    lot, device = judged.ready(), enrol_passkey(judged.place, judged.users["ruth"])
    assert certify(judged, lot, device).status_code == 201
    return File(judged, lot, tmp_path)


@pytest.mark.req("SIG-05", case="positive")
@pytest.mark.req("SIG-17", case="positive")
def test_the_enrolment_leaves_with_the_evidence_and_shows_no_more_of_the_person_than_it_needs(file, judged):
    report = file.report()
    assert report.findings.total == 0 and report.complete and report.unchecked == []
    (said,) = file.said()
    assert {row["table"] for row in said["rows"]} == {"mes_passkey", "mes_qualification"}
    first = json.loads(said["entries"][0]["canon"])
    assert first["stream"] == f"person:{judged.users['ruth'].pk}" and "mes.passkey_enrolled" in first["events"]
    assert int(first["seq"]) > 1, "what stands before the enrolment stays where it is"


@pytest.mark.req("SIG-05", case="positive")
def test_a_passkey_that_was_retired_since_was_the_signers_when_it_signed(judged, tmp_path):
    from tests.builders.passkeys import passkey_of

    lot, device = judged.ready(), enrol_passkey(judged.place, judged.users["ruth"])
    assert certify(judged, lot, device).status_code == 201
    kept, olga = passkey_of(device), judged.place.actor(judged.place.person("olga.admin", "administrator"))
    retire_passkey(by=olga, passkey_id=kept.pk, seen=kept.version, reason="Key lost")
    report = File(judged, lot, tmp_path).report()
    assert report.findings.total == 0 and report.complete


def test_a_file_of_an_earlier_day_holds_none_and_the_verdict_says_so(file):
    report = file.report(file.holding(None))
    assert report.findings.total == 0 and not report.complete
    assert report.unchecked == ["who enrolled the passkey of 1 signature (the file holds no enrolment of it)"]


@pytest.mark.req("SIG-05", case="negative")
@pytest.mark.req("SIG-17", case="negative")
def test_a_sealed_proof_by_a_key_that_its_signer_never_enrolled_is_named(judged, tmp_path, monkeypatch):
    """Somebody holds the server with its seal key, and puts a key of their own in the place of the signer's."""
    lot, device = judged.ready(), enrol_passkey(judged.place, judged.users["ruth"])
    forged, found = Device(handle=device.handle, count=device.count), passkeys.with_handle

    def with_another_key(credential_id):
        passkey = found(credential_id)
        passkey.public_key = forged.cose
        return passkey

    monkeypatch.setattr(passkeys, "with_handle", with_another_key)
    assert certify(judged, lot, forged).status_code == 201
    report = File(judged, lot, tmp_path).report()
    assert [(each.kind, each.sentence) for each in report.findings.kept] == [("unproven", "the passkey's key is not the one that the signer enrolled")]


def _other_key(said):
    next(row for row in said["rows"] if row["table"] == "mes_passkey")["columns"]["public_key"] = Device().cose.hex()


def _other_owner(said):
    next(row for row in said["rows"] if row["table"] == "mes_passkey")["columns"]["user_id"] = "01a20260-9c16-76fb-b6e1-2d15fe71802d"


def _nobody_checked(said):
    said["rows"] = [row for row in said["rows"] if row["table"] == "mes_passkey"]


def _other_entry(said):
    said["entries"][0]["canon"] = said["entries"][0]["canon"].replace("mes.passkey_enrolled", "mes.passkey_enrolleD")


def _other_hash(said):
    said["entries"][-1]["hash"] = "00" * 32


def _unsigned_checkpoint(said):
    said["checkpoint"] = said["checkpoint"].replace("snapshot ", "snapshot A")


def _other_head(said):
    said["proof"]["head"] = said["proof"]["head"].replace("person:", "persoN:")


def _another_passkey(said):
    said["passkey"] = "01a20260-9c16-76fb-b6e1-2d15fe71802d"


def _no_entry(said):
    said["entries"] = []


@pytest.mark.req("SIG-05", case="negative")
@pytest.mark.req("SIG-17", case="negative")
@pytest.mark.parametrize(
    "spoil", [_other_key, _other_owner, _nobody_checked, _other_entry, _other_hash, _unsigned_checkpoint, _other_head, _another_passkey, _no_entry]
)
def test_an_enrolment_that_was_touched_is_named_even_where_the_file_is_sealed_anew(file, spoil):
    said = file.said()
    spoil(said[0])
    report = file.report(file.holding(said))
    assert set(report.findings.by_kind) == {"unproven"}, report.findings.kept
    assert "line 1 of enrolments.jsonl" in report.findings.kept[0].sentence


@pytest.mark.parametrize("line", [b"no json", b"[]", b"{}", b'{"entries":[{}]}', b'{"entries":[{"canon":1,"hash":""}]}', b"null"])
def test_what_cannot_be_read_is_a_finding_and_no_crash(file, line):
    file.members[ENROLMENTS] = line
    content = file.holding(None)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    report = file.report(container.pack((members | {ENROLMENTS: line}).items()))
    assert "unproven" in report.findings.by_kind
