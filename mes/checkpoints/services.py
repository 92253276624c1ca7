"""Take a checkpoint of a site, and write down where it was anchored. Source: decisions 4; RFC 6962; C2SP tlog-checkpoint."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from django.db import connection

from mes.audit import chain
from mes.audit.models import StreamHead
from mes.checkpoints import cosigned, keys, merkle, notes, rules
from mes.checkpoints.models import AnchorReceipt, Checkpoint, TrailCheck, Witnessed
from mes.errors import RuleBroken
from mes.events import Event
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.door import deed_now, service


@service(Event.CHECKPOINT_TAKEN)
def take_checkpoint(*, by: Actor) -> Checkpoint | None:
    """Append the snapshot of the site's stream heads to its log and sign the log's head.

    None when nothing but the checkpoints themselves was written since the last one. The root of the log is computed over
    all leaves; the log holds one leaf per checkpoint.
    """
    rules.check_can_take_checkpoint(by=by)
    return _append(by)


@service(Event.CHECKPOINT_KEY_ANNOUNCED)
def announce_key(*, by: Actor, reason: str) -> Checkpoint:
    """Make the site's next key and announce it in a checkpoint that the present key signs; the next checkpoint is signed with it.

    What the old key signed stays proven by it: its public half and its range are in the log itself.
    """
    rules.check_can_announce_key(by=by, reason=reason)
    return _append(by, announce=True)


def _append(by: Actor, *, announce: bool = False) -> Checkpoint | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"checkpoint:{by.site_id}"])
    heads = StreamHead.objects.filter(site_id=by.site_id, seq__gt=0).order_by("stream").values_list("stream", "seq", "hash")
    lines = [f"{stream} {seq} {bytes(digest).hex()}" for stream, seq, digest in heads]
    last = Checkpoint.objects.filter(site_id=by.site_id).order_by("-size").first()
    if last is not None and not announce and _without_site(bytes(last.snapshot).decode().splitlines(), by) == _without_site(lines, by):
        return None
    snapshot_root = merkle.root([merkle.leaf_hash(line.encode()) for line in lines])
    leaf = chain.canonical_json(
        {"site": str(by.site_id), "streams": str(len(lines)), "snapshot": snapshot_root.hex(), "at": chain.instant(deed_now().at)}
    ).encode()
    leaves = [bytes(each) for each in Checkpoint.objects.filter(site_id=by.site_id).order_by("size").values_list("leaf", flat=True)]
    root = merkle.root([merkle.leaf_hash(each) for each in [*leaves, leaf]])
    code = Site.objects.values_list("code", flat=True).get(pk=by.site_id)
    name, number = keys.key_name(code), Checkpoint.objects.filter(site_id=by.site_id).exclude(next_key="").count()
    rules.check_key_is_there(site_code=code, number=number, is_first=not leaves)
    next_key = keys.key_text(code, number + 1) if announce else ""
    more = [f"snapshot {base64.b64encode(snapshot_root).decode()} {len(lines)}", *([f"{notes.NEXT_KEY}{next_key}"] if announce else [])]
    said = notes.Checkpoint(name, len(leaves) + 1, root, tuple(more))
    checkpoint = Checkpoint(
        site_id=by.site_id, by_id=by.user_id, size=said.size, snapshot="\n".join(lines).encode(), snapshot_root=snapshot_root, streams=len(lines),
        leaf=leaf, log_root=root, note=notes.sign(said, name, keys.site_key(code, number)), next_key=next_key,
    )  # fmt: skip
    checkpoint.save()
    return checkpoint


def _without_site(lines: list[str], by: Actor) -> list[str]:
    # The checkpoint itself is an entry of the site's stream; alone it is no reason for the next one.
    return [line for line in lines if not line.startswith(f"site:{by.site_id} ")]


@service(Event.CHECKPOINT_ANCHORED)
def record_anchor(*, by: Actor, checkpoint_id, kind: str, place: str, sha256: str, content: bytes = b"") -> AnchorReceipt:
    """Write down that a checkpoint lies somewhere else now, and keep what the other side gave (`content`)."""
    rules.check_can_record_anchor(by=by, sha256=sha256, content=content)
    checkpoint = Checkpoint.objects.one(pk=checkpoint_id)
    receipt = AnchorReceipt(site_id=by.site_id, by_id=by.user_id, checkpoint=checkpoint, kind=kind, place=place, sha256=sha256, content=content)
    receipt.save()
    return receipt


@service(Event.CHECKPOINT_COSIGNED)
def cosign(*, by: Actor, note: str, since: int, proof: Sequence[bytes], log_key: str = "") -> Witnessed:
    """As a witness: co-sign another log's checkpoint that continues what was seen before. One seen already is returned as it was signed then.

    `log_key` is believed the first time only; afterwards the key is the one that signed last, or that it announced. Raises RuleBroken.
    """
    origin = note.partition("\n")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"witness:{by.site_id}:{origin}"])
    last = Witnessed.objects.filter(site_id=by.site_id, origin=origin).order_by("-size").first()
    key = last.log_key if last else log_key
    try:
        said = notes.read(note, *notes.read_key(key))
        if said.origin != notes.read_key(key)[0]:
            raise notes.NoteRefused(f"The key is not that of {said.origin}.")
    except notes.NoteRefused as error:
        if last is not None and note.startswith(last.note.rpartition("\n\n")[0] + "\n\n"):
            return last  # the one that announced another key, asked for again
        raise RuleBroken("note_refused", f"Nothing was co-signed. {error}", security="log_refused") from error
    rules.check_can_cosign(by=by, said=said, last=last, since=since, proof=proof)
    if last is not None and said.size == last.size:
        return last
    code = Site.objects.values_list("code", flat=True).get(pk=by.site_id)
    signed = cosigned.cosign(note, keys.witness_name(code), keys.witness_key(code), deed_now().at)
    witnessed = Witnessed(
        site_id=by.site_id, by_id=by.user_id, origin=said.origin, size=said.size, root=said.root, log_key=said.next_key or key, note=signed
    )  # fmt: skip
    witnessed.save()
    return witnessed


@service(Event.TRAIL_CHECKED)
def record_trail_check(*, by: Actor, size: int, streams: int, entries: int, broken: dict, guards: Sequence[str] = ()) -> TrailCheck:
    """Write down what the scheduled verification found. New lots, approvals and release ask the newest one (decisions 8)."""
    rules.check_can_record_trail_check(by=by)
    check = TrailCheck(site_id=by.site_id, by_id=by.user_id, size=size, streams=streams, entries=entries, broken=broken, guards=list(guards))
    check.save()
    return check
