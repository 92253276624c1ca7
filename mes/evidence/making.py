"""Makes an evidence file: everything by which a stranger can check one stream without this server. Format: docs/validation/verifier.md."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from mes import clock
from mes.audit.chain import canonical_json, instant
from mes.checkpoints.services import take_checkpoint
from mes.errors import RuleBroken
from mes.evidence import container, enrolments, proofs, rules, stream
from mes.evidence.models import EvidenceFile
from mes.evidence.services import record_evidence_file
from mes.people.models import Site
from mes.people.setup import system_actor
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.records.door import record_refusal
from mes.signatures import seal_keys, seals
from mes.signatures.models import Signature

README = """\
Evidence file of one record of a Cartulary site (format cartulary.evidence-file/1).

Check it, without network or database:   python3 cartulary-verify.pyz --evidence THIS-FILE --key KEY.txt
KEY.txt holds the site's public keys as the site gave them to you, one a line. Without --key the file's own keys.txt is taken,
and then only you can tell whether those are the site's keys.

manifest.json   what this is, and the SHA-256 of every other member; manifest.seal is the site's seal on it
keys.txt        the site's public keys: name+id+base64
entries.jsonl   every entry of the audit stream: its exact bytes (canon) and its hash
schemas.jsonl   the column lists under which rows were sealed
rows.jsonl      every row that the entries cite, in sealed text; {"file": ...} names the member that holds a column's bytes
live.jsonl      the records as they stood when the file was made
enrolments.jsonl   of each passkey that signed, its enrolment by the signer: out of the signer's own stream, under a checkpoint
files/          attachments, papers (PDF) and the exact bytes that were signed
texts/          recipe and specification as written
checkpoint.txt  the newest signed checkpoint of the site; proof.json proves that this stream's head is in it
"""


@dataclass(frozen=True)
class About:
    """What the file is of: the stream, its site, its lot, words for people, and texts that belong to it (member name to bytes)."""

    stream: str
    site_id: object
    lot_id: object
    subject: str
    said: dict
    texts: dict[str, bytes]


def make(by: Actor, about: Callable[[], About]) -> tuple[EvidenceFile, bytes]:
    """The deed's fact and the file's bytes. `about` is called inside the context in which everything is read, at one moment.

    A checkpoint is taken before, so that what the file holds is under one. Raises NotAllowed, RuleBroken.
    """
    with site_context(by.site_id):
        site_id = about().site_id
    try:
        rules.check_can_make_evidence(by=by, site_id=site_id)
    except RuleBroken as refusal:
        if refusal.security:
            record_refusal(by, refusal, "make_evidence")
        raise
    take_checkpoint(by=system_actor(site_id))
    with site_context(by.site_id, snapshot=True):
        what = about()
        members, entries, head = stream.members_of(what.stream)
        if enrolled := enrolments.enrolments_of(what.stream, site_id):
            members["enrolments.jsonl"] = enrolled
        covered = proofs.covered(what.stream, site_id)
        site = Site.objects.get(pk=site_id)
        sites = {str(pk): code for pk, code in Site.objects.filter(pk__in=signed_at(what.stream) | {site_id}).values_list("pk", "code")}
        key = seals.key_of(site_id, site.code)
    if covered is None:
        raise RuleBroken("no_checkpoint", "No checkpoint of this site covers this record yet. Try again in a minute.")
    keys = [*proofs.key_lines(site.code), *(line for code in sorted(sites.values()) for line in seal_keys.public_lines(code))]
    members = {
        "README.txt": README.encode(), "keys.txt": "".join(f"{line}\n" for line in keys).encode(), **members, **what.texts,
        "checkpoint.txt": covered.checkpoint.note.encode(), "proof.json": covered.proof,
    }  # fmt: skip
    said = {
        **what.said, "subject": what.subject, "stream": what.stream, "site": {"id": str(site_id), "code": site.code, "name": site.name}, "sites": sites,
        "entries": str(entries), "head": head, "checkpoint": str(covered.checkpoint.size), "made_at": instant(clock.record_now()),
        "made_by": {"username": by.username, "name": by.full_name}, "app_version": settings.APP_VERSION,
    }  # fmt: skip
    manifest = container.manifest_of(said, members)
    seal = {"key_name": seal_keys.key_name(site.code), "seal": base64.b64encode(key.sign(container.SEAL_DOMAIN + manifest)).decode()}
    first = [(container.MANIFEST, manifest), (container.SEAL, canonical_json(seal).encode())]
    content = container.pack([*first, *members.items()])
    fact = record_evidence_file(
        by=by, site_id=site_id, stream=what.stream, lot_id=what.lot_id, subject=what.subject, entries=entries, head=head,
        checkpoint=covered.checkpoint.size, size=len(content), sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    return fact, content


def signed_at(name: str) -> set:
    """The sites at which the signatures of a stream were made: each sealed its own."""
    return set(Signature.objects.filter(stream_name=name).values_list("site_id", flat=True))
