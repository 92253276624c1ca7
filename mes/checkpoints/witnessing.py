"""Sites as each other's witnesses: a checkpoint that another site co-signed cannot be exchanged for another past without that site's key.

Within one deployment the background asks the other sites; between deployments a file is carried over and back (`manage.py cosign`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.conf import settings

from mes.checkpoints import cosigned, keys, notes, proofs, services
from mes.checkpoints.models import AnchorReceipt, Checkpoint, Witnessed
from mes.errors import RuleBroken
from mes.people.models import Site
from mes.people.setup import system_actor
from mes.records.actors import Actor
from mes.records.context import site_context

COSIGNED = "cosignature"


def witness_key_text(site_code: str) -> str:
    """The key of a site as a witness, for whoever keeps its co-signatures."""
    return cosigned.verifier_text(keys.witness_name(site_code), keys.witness_key(site_code).public_key())


def requests(by: Actor, since: int) -> Iterator[str]:
    """What a witness that saw the log at size `since` (0: never) has to be asked, in order: each announced key, then the newest checkpoint."""
    with site_context(by.site_id):
        later = Checkpoint.objects.filter(site_id=by.site_id, size__gt=since).order_by("size")
        newest = later.last()
        sizes = sorted({*later.exclude(next_key="").values_list("size", flat=True), newest.size} if newest else ())
        for size in sizes:
            growth = proofs.growth(by.site_id, since, size) if since else None
            note = Checkpoint.objects.one(site_id=by.site_id, size=size).note
            yield cosigned.write_request(since, [bytes.fromhex(each) for each in growth["proof"]] if growth else [], note)
            since = size


def answer(by: Actor, request: str, log_key: str = "") -> str:
    """As a witness: co-sign what a request asks for, if it continues what was seen before; returns the co-signed note. Raises RuleBroken."""
    try:
        since, proof, note = cosigned.read_request(request)
    except notes.NoteRefused as error:
        raise RuleBroken("no_request", str(error)) from error
    return services.cosign(by=by, note=note, since=since, proof=proof, log_key=log_key).note


def keep(by: Actor, note: str, witness_key: str) -> AnchorReceipt:
    """Keep a co-signed note with the checkpoint it is about. Raises RuleBroken for a note that is not ours or not co-signed by this key."""
    try:
        name, public = cosigned.read_key(witness_key)
        cosigned.read(note, name, public)
        size = int(note.split("\n", 2)[1])
    except (ValueError, IndexError) as error:
        raise RuleBroken("not_cosigned", f"The note was not kept: {error}") from error
    with site_context(by.site_id):
        checkpoint = Checkpoint.objects.one(site_id=by.site_id, size=size)
        kept = checkpoint.anchors.filter(kind=COSIGNED, place=name).first()
    if kept is not None:
        return kept
    if not note.startswith(checkpoint.note):
        raise RuleBroken("cosigned_other_past", f"The witness {name} co-signed another checkpoint {size} than this site holds. Call quality.")
    content = note.encode()
    digest = hashlib.sha256(content).hexdigest()
    return services.record_anchor(by=by, checkpoint_id=checkpoint.pk, kind=COSIGNED, place=name, sha256=digest, content=content)


def have_cosigned(by: Actor) -> int:
    """Have the other sites of this deployment co-sign this site's newest checkpoint; returns how many co-signatures came."""
    if not settings.COSIGN:
        return 0
    code, count = Site.objects.values_list("code", flat=True).get(pk=by.site_id), 0
    for other in Site.objects.exclude(pk=by.site_id).order_by("code"):
        witness = system_actor(other.pk)
        seen = last_seen(other.pk, keys.key_name(code))
        for request in list(requests(by, seen.size if seen else 0)):
            keep(by, answer(witness, request, keys.key_text(code)), witness_key_text(other.code))
            count += 1
    return count


def last_seen(site_id, origin: str) -> Witnessed | None:
    """What a site as a witness saw last of a log. Opens the site's context."""
    with site_context(site_id):
        return Witnessed.objects.filter(site_id=site_id, origin=origin).order_by("-size").first()
