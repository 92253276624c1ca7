"""Anchors: checkpoints leave the database. Here: a write-once folder, which belongs on another machine or medium."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db import connection

from mes import clock
from mes.audit.models import AuditEntry
from mes.checkpoints import keys, services, timestamps, witnessing
from mes.checkpoints.models import Checkpoint
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.context import site_context

FOLDER, TIMESTAMP = "write_once_folder", "timestamp"

EVERY = dt.timedelta(minutes=5)
"""How long at most what was written may be unanchored while the background runs: the exposure window."""


class AnchorAltered(FileExistsError):
    """The folder holds something else than what was, or is to be, anchored there."""


def kinds() -> tuple[str, ...]:
    """The kinds of anchor that this deployment is set up for."""
    return (FOLDER, *([TIMESTAMP] if settings.TSA_URL else []), *([witnessing.COSIGNED] if settings.COSIGN else []))


def anchor_folder() -> Path:
    return Path(settings.ANCHORS_FOLDER)


def anchor_waiting(by: Actor) -> int:
    """Write every checkpoint that the folder does not hold yet, with the key others verify it by; returns how many.

    A file is created once and never opened for writing again. One that exists with other content raises
    AnchorAltered: somebody wrote there.
    """
    with site_context(by.site_id):
        waiting = list(Checkpoint.objects.filter(site_id=by.site_id).exclude(anchors__kind=FOLDER).order_by("size"))
    if not waiting:
        return 0
    code = Site.objects.values_list("code", flat=True).get(pk=by.site_id)
    folder = anchor_folder() / code
    folder.mkdir(parents=True, exist_ok=True)
    _write_once(folder / "key.txt", keys.key_text(code).encode() + b"\n")
    for checkpoint in waiting:
        path = folder / f"{checkpoint.size:08d}.checkpoint"
        content = checkpoint.note.encode()
        _write_once(path, content)
        services.record_anchor(by=by, checkpoint_id=checkpoint.pk, kind=FOLDER, place=f"{code}/{path.name}", sha256=hashlib.sha256(content).hexdigest())
    return len(waiting)


def _write_once(path: Path, content: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    except FileExistsError:
        if path.read_bytes() != content:
            raise AnchorAltered(f"{path} holds something else than what is to be anchored") from None
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def checkpoint_and_anchor(by: Actor) -> int:
    """Take a checkpoint when the last one is older than the interval, and anchor what waits; returns how many were anchored."""
    with site_context(by.site_id):
        last = Checkpoint.objects.filter(site_id=by.site_id).order_by("-size").first()
    if last is None or clock.record_now() - last.recorded_at >= EVERY:
        services.take_checkpoint(by=by)
    return anchor_waiting(by)


def timestamp_newest(by: Actor) -> int:
    """Have the newest checkpoint time-stamped, where an authority is set up; returns how many tokens came. Older ones are in its log, and one
    that has waited for longer than a day waits for the next checkpoint.

    Raises TimestampRefused (an OSError): then the checkpoint waits, and is asked for again by the next sweep.
    """
    if not settings.TSA_URL:
        return 0
    with site_context(by.site_id):
        newest = Checkpoint.objects.filter(site_id=by.site_id).order_by("-size").first()
        done = newest is None or newest.anchors.filter(kind=TIMESTAMP).exists()
        taken = None if done else AuditEntry.objects.get(rows__table="mes_checkpoint", rows__row_id=newest.pk).wall
    if taken is None or _wall() - taken > timestamps.LATEST:
        return 0
    request = timestamps.request_for(newest.note.encode())
    token = timestamps.check(timestamps.fetch(settings.TSA_URL, request), request, trusted_authorities())
    timestamps.check_time(token, taken, _wall())
    place = f"{settings.TSA_URL} {token.at:%Y-%m-%dT%H:%M:%SZ}"[:300]
    digest = hashlib.sha256(token.content).hexdigest()
    services.record_anchor(by=by, checkpoint_id=newest.pk, kind=TIMESTAMP, place=place, sha256=digest, content=token.content)
    return 1


def _wall() -> dt.datetime:
    """The database's wall clock: machines are compared by it, not by the record clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def trusted_authorities() -> list[x509.Certificate]:
    """The certificates that tokens have to lead to: the file of the settings."""
    return x509.load_pem_x509_certificates(Path(settings.TSA_CERTIFICATES).read_bytes())
