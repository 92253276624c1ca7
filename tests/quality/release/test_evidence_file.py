"""The evidence file of a lot: made by who may, written into the trail, and checked by a program that is alone with it."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest
from django.core.management import call_command

from batches.dossier.queries import head_of
from batches.dossier.rendering import render_batch_record
from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject
from batches.subjects.services import read_identity
from mes.audit.chain import canonical_json
from mes.audit.models import AuditEntry
from mes.checkpoints.services import announce_key
from mes.errors import NotAllowed, RuleBroken
from mes.evidence import container
from mes.evidence.models import EvidenceFile
from mes.evidence.proofs import key_lines
from mes.evidence.stream import lines as lines_of
from mes.people.setup import system_actor
from mes.records.models import SecurityEvent
from mes.signatures import seal_keys
from mes.signatures.models import Signature
from mes.verifier import evidence
from quality.release import evidence_file
from quality.release.models import ReleaseDecision
from quality.release.rendering import render_certificate
from tests.builders.staff import signed_in


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    target = tmp_path_factory.mktemp("verifier") / "cartulary-verify.pyz"
    call_command("build_verifier", output=target)
    return target


def keys_of(judged):
    code = judged.place.site.code
    return "\n".join([*key_lines(code), *seal_keys.public_lines(code)]) + "\n"


def alone(verifier, folder, *words):
    """The verifier in an empty folder: no site-packages, no environment, nothing of the product."""
    (folder / verifier.name).write_bytes(verifier.read_bytes())
    return subprocess.run(
        [sys.executable, "-I", "-S", verifier.name, *words], cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin"}
    )


def fingerprints(site) -> dict[str, str]:
    """By name the beginning of the SHA-256 of each public key."""
    lines = [line.split("+", 2) for line in keys_of(site).splitlines()]
    return {name: hashlib.sha256(base64.b64decode(text)[1:]).hexdigest()[:16] for name, _, text in lines}


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.req("SIG-17", case="positive")
@pytest.mark.req("SIG-05", case="positive")
def test_a_file_checked_alone_in_an_empty_folder_is_intact(judged, verifier, tmp_path):
    lot = judged.ready()
    judged.certify(lot)
    fact, content = evidence_file.evidence_file(judged.by("ruth"), lot.number)
    (tmp_path / "lot.zip").write_bytes(content)
    (tmp_path / "KEY.txt").write_text(keys_of(judged))

    done = alone(verifier, tmp_path, "--evidence", "lot.zip", "--key", "KEY.txt", "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, told["findings"], told["notes"], done.stderr) == (0, [], [], "")
    with judged.reading():
        signatures = Signature.objects.filter(lot_id=lot.pk).count()
    assert told["entries"] == fact.entries and told["signatures"] == signatures > 5
    unkeyed = alone(verifier, tmp_path, "--evidence", "lot.zip")
    verdict = unkeyed.stdout.splitlines()[-1]
    assert unkeyed.returncode == 0 and "all intact by the keys inside the file, which nobody else vouched for" in verdict
    for name, prints in fingerprints(judged).items():
        assert f"{name} {prints}" in verdict
    strict = [alone(verifier, tmp_path, "--evidence", "lot.zip", "--strict", *words).returncode for words in ((), ("--key", "KEY.txt"))]
    assert strict == [3, 0]


@pytest.mark.req("SIG-17", case="negative")
def test_a_file_of_another_site_is_not_taken_for_this_ones(judged, verifier, tmp_path):
    lot = judged.made()
    _, content = evidence_file.evidence_file(judged.by("ruth"), lot.number)
    (tmp_path / "lot.zip").write_bytes(content)
    lines = keys_of(judged).splitlines()
    (tmp_path / "KEY.txt").write_text(lines[0] + "\n")  # the checkpoint key alone vouches for no signature

    done = alone(verifier, tmp_path, "--evidence", "lot.zip", "--key", "KEY.txt")

    assert done.returncode == 1 and "unsealed: mes_signature " in done.stdout and "manifest.seal is not the site's seal" in done.stdout
    (tmp_path / "KEY.txt").write_text(lines[1] + "\n")
    assert "the checkpoint is not signed by a key of" in alone(verifier, tmp_path, "--evidence", "lot.zip", "--key", "KEY.txt").stdout
    (tmp_path / "KEY.txt").write_text(lines[0].replace("+", "+0", 1))
    assert alone(verifier, tmp_path, "--evidence", "lot.zip", "--key", "KEY.txt").returncode == 2
    assert alone(verifier, tmp_path, "--evidence", "nothing.zip").returncode == 2


@pytest.mark.req("AUD-08", case="positive")
def test_a_file_made_after_the_key_of_checkpoints_changed_is_intact(judged, tmp_path):
    lot, jobs = judged.order(), system_actor(judged.place.site.pk)
    announce_key(by=jobs, reason="yearly change")
    read_identity(by=judged.by("sam"), patient_id=lot.therapy_event.patient_id, purpose="order")

    _, content = evidence_file.evidence_file(judged.by("ruth"), lot.number)

    (tmp_path / "lot.zip").write_bytes(content)
    (tmp_path / "KEY.txt").write_text(keys_of(judged))
    assert keys_of(judged).count(f"cartulary/{judged.place.site.code}+") == 2
    assert evidence.verify(str(tmp_path / "lot.zip"), str(tmp_path / "KEY.txt")).intact and evidence.verify(str(tmp_path / "lot.zip")).intact


# --- making one is a deed ---------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-10", case="positive")
def test_making_one_is_written_into_the_lots_trail_with_its_digest(judged):
    lot = judged.made()
    fact, content = evidence_file.evidence_file(judged.by("ruth"), lot.number)

    assert fact.sha256 == hashlib.sha256(content).hexdigest() and fact.size == len(content)
    with judged.reading():
        entry = AuditEntry.objects.filter(lot_id=lot.pk).order_by("-seq").first()
        assert (entry.events, entry.by_username, entry.seq) == (["mes.evidence_made"], judged.by("ruth").username, fact.entries + 1)
        assert EvidenceFile.objects.get(lot_id=lot.pk).pk == fact.pk
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("manifest.json"))
    assert (manifest["entries"], manifest["head"], manifest["lot"]["number"]) == (str(fact.entries), fact.head, lot.number)
    assert manifest["made_by"]["username"] == judged.by("ruth").username


@pytest.mark.req("AUD-10", case="negative")
@pytest.mark.req("ACC-02", case="negative")
def test_who_may_not_gets_none_and_leaves_a_security_event(judged):
    lot = judged.made()
    with judged.reading():
        before = head_of(lot.pk), SecurityEvent.objects.count()
    with pytest.raises(NotAllowed):
        evidence_file.evidence_file(judged.by("olga"), lot.number)
    with judged.reading():
        assert head_of(lot.pk) == before[0] and SecurityEvent.objects.count() == before[1] + 1
        assert not EvidenceFile.objects.filter(lot_id=lot.pk).exists()


@pytest.mark.req("SIG-17", case="negative")
def test_without_the_seal_key_no_file_is_made(judged, settings, tmp_path):
    lot = judged.made()
    settings.KEYS_FOLDER = tmp_path / "empty"
    with pytest.raises(RuleBroken) as refused:
        evidence_file.evidence_file(judged.by("ruth"), lot.number)
    assert refused.value.code == "seal_key_missing"


def test_the_same_record_gives_the_same_members_but_for_what_says_when(judged):
    lot = judged.made()
    one, two = (dict(unpacked(evidence_file.evidence_file(judged.by("ruth"), lot.number)[1])) for _ in range(2))
    assert set(one) == set(two) - {name for name in two if name not in one}
    differing = {name for name in one if one[name] != two[name]}
    assert differing <= {"manifest.json", "manifest.seal", "entries.jsonl", "rows.jsonl", "schemas.jsonl", "checkpoint.txt", "proof.json"}
    assert list(one)[:2] == ["manifest.json", "manifest.seal"]
    assert two["entries.jsonl"].startswith(one["entries.jsonl"])


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


@pytest.mark.req("COI-02", case="negative")
def test_it_shows_no_other_lot_and_no_patient(judged):
    first, second = judged.made(), judged.made()
    with judged.reading():
        patient = judged.fresh_in(first).therapy_event.patient
    identity = read_identity(by=judged.by("sam"), patient_id=patient.pk, purpose="order")[1]
    _, content = evidence_file.evidence_file(judged.by("ruth"), first.number)
    assert first.number.encode() in content
    for secret in (second.number, str(second.pk), identity.family_name, identity.hospital_number):
        assert secret.encode() not in content


# --- page, API, command -----------------------------------------------------------------------------------------------


@pytest.mark.req("REC-01", case="positive")
def test_page_api_and_command_make_the_same_kind_of_file(judged, tmp_path):
    lot = judged.made()
    browser = signed_in(judged.users["ruth"])
    address = f"/lots/{lot.number}/evidence/"
    assert "None was made yet" in browser.get(address).content.decode()
    answer = browser.post(address)
    assert answer.status_code == 200 and answer["Content-Disposition"].startswith("attachment") and answer["Content-Type"] == "application/zip"
    by_api = browser.post(f"/api/v1/lots/{lot.number}/evidence-file/", content_type="application/json")
    assert by_api.status_code == 200
    call_command("evidence", lot.number, "--to", tmp_path / "lot.zip", "--keys", tmp_path / "KEY.txt")

    for number, content in enumerate((answer.content, by_api.content, (tmp_path / "lot.zip").read_bytes())):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        report = evidence.verify(str(path), str(tmp_path / "KEY.txt"))
        assert report.intact, [str(each) for each in report.findings.kept]
    listed = browser.get(f"/api/v1/lots/{lot.number}/evidence-file/").json()
    assert [each["made_by"] for each in listed] == ["Installation", "Ruth Demo", "Ruth Demo"]
    assert listed[1]["sha256"] == hashlib.sha256(by_api.content).hexdigest()
    assert listed[2]["sha256"] in browser.get(address).content.decode()


@pytest.mark.req("ACC-02", case="negative")
def test_page_and_api_refuse_who_may_not(judged):
    lot = judged.made()
    browser = signed_in(judged.users["olga"])
    assert browser.get(f"/lots/{lot.number}/evidence/").status_code == 403
    assert browser.post(f"/lots/{lot.number}/evidence/").status_code == 403
    assert browser.post(f"/api/v1/lots/{lot.number}/evidence-file/", content_type="application/json").status_code == 403
    assert "Evidence file" not in browser.get(f"/lots/{lot.number}/gate/panel/").content.decode()


# --- one changed byte -------------------------------------------------------------------------------------------------

_whole: dict[str, bytes] = {}


@pytest.fixture
def whole(judged, tmp_path):
    """A certified lot's file, made once; (bytes, check), where check(bytes) gives the report."""
    if not _whole:
        lot = judged.ready()
        judged.certify(lot)
        render_certificate(system_actor(judged.place.site.pk), _decision(judged, lot))
        render_batch_record(system_actor(judged.place.site.pk), lot.pk)
        _whole["bytes"] = evidence_file.evidence_file(judged.by("ruth"), lot.number)[1]
        _whole["keys"] = keys_of(judged).encode()
    (tmp_path / "KEY.txt").write_bytes(_whole["keys"])

    def check(content: bytes):
        (tmp_path / "lot.zip").write_bytes(content)
        return evidence.verify(str(tmp_path / "lot.zip"), str(tmp_path / "KEY.txt"))

    return _whole["bytes"], check


def _decision(judged, lot):
    with judged.reading():
        return ReleaseDecision.objects.get(lot=lot).pk


def places(content: bytes) -> dict[str, tuple[int, int]]:
    """Where the bytes of each member lie in the container."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        starts = {info.filename: (info.header_offset + 30 + len(info.filename), info.file_size) for info in archive.infolist()}
    assert content[slice(starts["README.txt"][0], starts["README.txt"][0] + 13)] == b"Evidence file"
    return starts


def flipped(content: bytes, at: int, bit: int = 0) -> bytes:
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("DI-04", case="negative")
def test_one_changed_byte_in_any_member_is_found_and_the_member_is_named(whole):
    content, check = whole
    assert check(content).intact
    seen = set()
    for name, (start, size) in places(content).items():
        table = name.split("/")[1].split(".")[0] if name.startswith("files/") else name
        if name.startswith("files/") and table in seen:
            continue  # one member of each kind: the others are the same
        seen.add(table)
        for part in (0, 1, 2) if name.startswith("files/") else (0, 1, 2, 3, 4):
            report = check(flipped(content, start + min(size - 1, part * size // 4), part))
            said = [each for each in report.findings.kept if name in each.sentence]
            assert not report.intact and said, (name, part, [str(each) for each in report.findings.kept])
    assert {"batches_batchrecordpaper", "quality_certificate", "mes_signaturepayload"} <= {each.split("/")[0] for each in seen} | seen


@pytest.mark.req("AUD-07", case="negative")
def test_a_changed_byte_in_an_entry_a_row_and_a_paper_names_which(whole):
    content, check = whole
    at = places(content)
    lines = members_lines(content, "entries.jsonl")
    for number in (1, len(lines) // 2, len(lines)):
        offset = sum(len(line) + 1 for line in lines[: number - 1]) + lines[number - 1].index(b"username") + 15
        first = first_of(check(flipped(content, at["entries.jsonl"][0] + offset)), "lot:")
        assert (first.kind, first.seq) == ("edit", number), first
    lines = members_lines(content, "rows.jsonl")
    for number in (0, len(lines) // 3, len(lines) - 1):
        said = json.loads(lines[number])
        offset = sum(len(line) + 1 for line in lines[:number]) + lines[number].index(b'"site_id":"') + 18
        report = check(flipped(content, at["rows.jsonl"][0] + offset))
        assert any((each.table, each.row_id, each.version) == (said["table"], said["id"], int(said["version"])) for each in report.findings.kept), said["table"]
        assert first_of(report, "lot:").row_id == said["id"]
    paper = next(name for name in at if name.startswith("files/batches_batchrecordpaper/"))
    report = check(flipped(content, at[paper][0] + at[paper][1] // 2))
    first = first_of(report, "lot:")
    assert (first.table, first.row_id) == ("batches_batchrecordpaper", paper.split("/")[2].split(".")[0]) and paper in first.sentence


def members_lines(content: bytes, name: str) -> list[bytes]:
    return dict(unpacked(content))[name].splitlines()


def first_of(report, stream: str):
    return next(each for name, each in report.findings.first.items() if name.startswith(stream))


@pytest.mark.req("AUD-07", case="negative")
def test_a_changed_byte_of_the_container_itself_is_found(whole):
    content, check = whole
    starts = sorted(start for start, _ in places(content).values())
    for at in (0, 5, 10, 14, 26, starts[1] - 10, starts[-1] - 3, len(content) - 1, len(content) - 10, len(content) - 60):
        assert not check(flipped(content, at)).intact, at
    assert not check(content + b"x").intact and not check(b"").intact and not check(content[: len(content) // 2]).intact


def rebuilt(members: dict[str, bytes]) -> bytes:
    """What somebody can do who holds no key: change members and make manifest and container anew."""
    manifest = json.loads(members["manifest.json"])
    manifest["members"] = {name: hashlib.sha256(each).hexdigest() for name, each in members.items() if not name.startswith("manifest.")}
    return container.pack((members | {"manifest.json": canonical_json(manifest).encode()}).items())


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("SIG-17", case="negative")
def test_a_file_made_anew_around_a_forgery_lacks_the_sites_seal_and_more(whole):
    content, check = whole
    members = dict(unpacked(content))
    assert check(rebuilt(members)).intact

    cut = dict(members)
    cut["entries.jsonl"] = b"".join(line + b"\n" for line in members["entries.jsonl"].splitlines()[:-1])
    assert {"truncation", "unsealed", "rewrite"} <= set(check(rebuilt(cut)).findings.by_kind)

    dropped = dict(members)
    lines = [line for line in members["rows.jsonl"].splitlines() if b'"table":"mes_signatureseal"' not in line]
    dropped["rows.jsonl"] = b"".join(line + b"\n" for line in lines)
    kinds = check(rebuilt(dropped)).findings.by_kind
    assert kinds["missing"] == kinds["unsealed"] - 1 > 5, "every seal is missed, and the file's own is not that of this manifest"

    moved = dict(members)
    rows = [json.loads(line) for line in members["rows.jsonl"].splitlines()]
    copied = next(each for each in rows if each["table"] == "mes_signature")
    copied["columns"]["record_version"] = str(int(copied["columns"]["record_version"]) + 1)
    moved["rows.jsonl"] = lines_of(rows)
    report = check(rebuilt(moved))
    assert {each.kind for each in report.findings.kept if each.row_id == copied["id"]} == {"edit", "excised", "unsealed"}

    extra = members | {"files/planted.bin": b"planted"}
    assert any(each.kind == "uncited" and "planted" in each.sentence for each in check(rebuilt(extra)).findings.kept)

    live = dict(members)
    live["live.jsonl"] = members["live.jsonl"].replace(b'"product":"judged"', b'"product":"fudged"')
    assert any(each.kind == "edit" and each.table == "batches_lot" and "product" in each.sentence for each in check(rebuilt(live)).findings.kept)


@pytest.mark.req("SIG-06", case="negative")
@pytest.mark.req("REL-01", case="negative")
def test_after_a_correction_both_exports_name_the_signatures_and_release_is_refused(judged):
    lot = judged.ready()
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="viability", superseded_by=None)
        what = correction_subject(entry, entry.step_run, "83.4", "Read the wrong line")
        dependent = {str(each.pk) for each in Signature.objects.filter(record_id=entry.step_run_id)}
    proof = judged.proof("maya", "olga", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="83.4", reason="Read the wrong line", proof=proof)

    exported = signed_in(judged.users["ruth"]).get(f"/api/v1/lots/{lot.number}/evidence/").json()
    assert {each["id"] for each in exported["signatures"] if not each["covers"]} == dependent
    manifest = json.loads(dict(unpacked(evidence_file.evidence_file(judged.by("ruth"), lot.number)[1]))["manifest.json"])
    assert set(manifest["signatures_that_no_longer_cover"]) == dependent
    with pytest.raises(RuleBroken) as refused:
        judged.certify(lot)
    assert refused.value.code == "gate_closed" and "signatures" in refused.value.detail["lines"]
