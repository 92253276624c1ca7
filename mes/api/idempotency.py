"""A POST that is sent twice happens once: the answer is kept under the sender's key and given again.

Life of a key, each line committed by itself but the second, which stands or falls with the deed:
    taken      before the work: nobody else may work under it
    recorded   in the deed's own transaction: from here on the work is never done again
    answered   after the work: the answer is kept, encrypted, and replayed
A refused request that recorded nothing gives its key back: the retry is judged anew. A process that dies between
recorded and answered leaves a key that is answered with "look at what is recorded", never with a second deed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, connection
from django.http import HttpResponse

from mes.asked import Sent
from mes.errors import RuleBroken, UnreadableInput
from mes.keys import uuid7
from mes.records.door import before_commit

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 90
#: Keys of forms stand in the same table under a prefix of their own.
PREFIX = "api:"

#: Kept in `status`: the deed is committed, its answer is not known.
RECORDED = 0
#: What an answer carries over into its replay.
KEPT_HEADERS = ("Location", "Content-Disposition")


class KeyMissing(RuleBroken):
    """A POST without a key."""

    status = 400


class KeyReused(RuleBroken):
    """The key was used for something else."""

    status = 422


@dataclass(frozen=True)
class Kept:
    """What stands under a key."""

    status: int | None
    answer: bytes | None
    fingerprint: str
    path: str


def key_of(request) -> str:
    """The key of a request. Raises KeyMissing without one, UnreadableInput for one that is too long or not ASCII."""
    key = request.headers.get(HEADER, "").strip()
    if not key:
        raise KeyMissing(
            "idempotency_key_missing",
            f"Every POST needs a header {HEADER}. Make a new random one for each thing you want done, and send the same one when you repeat it.",
        )
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise UnreadableInput("idempotency_key_unreadable", f"A key has at most {LONGEST} printable ASCII characters. Send a UUID.")
    return PREFIX + key


def once(request, user_id, work: Callable[[], HttpResponse], *, leave_out: tuple[str, ...] = ()) -> HttpResponse:
    """Do the work once for this user and key; a repeat gets the kept answer with `Idempotency-Replayed: true`.

    `leave_out` names body fields that enter no fingerprint (secrets). Raises KeyMissing, KeyReused, and RuleBroken
    "idempotency_key_in_use" (409) while the first request is at work. `work` returns a rendered response.
    """
    key, path = key_of(request), request.path[:300]
    body = canonical_body(request, leave_out)
    with _alone(user_id, key, path, body) as new:
        kept = None if new else _kept(user_id, key)
        if kept is not None and kept.status is not None:
            return _repeat(kept, user_id, key, path, body)
        if kept is not None and not _same(kept, path, body):
            raise _reused()
        with before_commit(lambda deed: _mark_recorded(user_id, key)):
            response = work()
        if response.status_code < 400 or _is_recorded(user_id, key):
            if response.status_code < 500:  # an unforeseen error after the deed is answered with "lost", not replayed
                _keep(user_id, key, path, response)
        else:
            _give_back(user_id, key)
        return response


# --- what a request is ------------------------------------------------------------------------------------------------


def canonical_body(request, leave_out: tuple[str, ...] = ()) -> bytes:
    """The body in one form: names sorted, files by their digest, so that another boundary or spacing is no other body."""
    data = request.data
    if hasattr(data, "lists"):
        plain = {name: [_part(value) for value in values] for name, values in data.lists() if name not in leave_out}
    elif isinstance(data, dict):
        plain = {name: value for name, value in data.items() if name not in leave_out}
    else:
        plain = data
    query = sorted(request.query_params.lists())
    return json.dumps([query, plain], sort_keys=True, separators=(",", ":"), default=str).encode()


def _part(value):
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return f"sha256:{digest.hexdigest()}"


def _secrets() -> list[bytes]:
    return [secret.encode() for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _fingerprint(secret: bytes, path: str, body: bytes) -> str:
    """Keyed, so that nobody who reads the table can try out what a body was."""
    key = hashlib.sha256(b"cartulary:idempotency:fingerprint:" + secret).digest()
    return hmac.new(key, path.encode() + b"\x00" + body, hashlib.sha256).hexdigest()


def _same(kept: Kept, path: str, body: bytes) -> bool:
    return kept.path == path and any(hmac.compare_digest(_fingerprint(secret, path, body), kept.fingerprint) for secret in _secrets())


# --- what is kept -----------------------------------------------------------------------------------------------------


TAKE = Sent("""
WITH alone AS MATERIALIZED (SELECT pg_try_advisory_lock(%s) AS got),
  taken AS (INSERT INTO mes_idempotencykey (id, user_id, key, path, fingerprint, content_type, created_at)
    SELECT %s, %s, %s, %s, %s, '', clock_timestamp() FROM alone WHERE got ON CONFLICT (user_id, key) DO NOTHING RETURNING 1)
SELECT got, EXISTS (SELECT 1 FROM taken) FROM alone
""")
"""Whoever has the lock takes the key, unless it was taken before. One statement: the lock is asked for first, since taking reads from it."""


LET_GO = Sent("SELECT pg_advisory_unlock(%s)")
MARK = Sent("UPDATE mes_idempotencykey SET status = %s WHERE user_id = %s AND key = %s")
KEEP = Sent("UPDATE mes_idempotencykey SET status = %s, answer = %s, content_type = %s WHERE user_id = %s AND key = %s")


@contextmanager
def _alone(user_id, key: str, path: str, body: bytes) -> Iterator[bool]:
    """Held by one request at a time; the database lets go of it when the process dies. True where the key is new and taken with it."""
    number = int.from_bytes(hashlib.sha256(f"idempotency:{user_id}:{key}".encode()).digest()[:8], "big", signed=True)
    alone, new = TAKE.one(number, uuid7(), user_id, key, path, _fingerprint(_secrets()[0], path, body))
    if not alone:
        raise RuleBroken("idempotency_key_in_use", "The first request with this key is still at work. Send it again in a moment.")
    try:
        yield new
    finally:
        # With the connection gone the lock is gone too, and the answer must not be lost over it.
        with suppress(DatabaseError):
            LET_GO.one(number)


def _kept(user_id, key: str) -> Kept | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, answer, fingerprint, path FROM mes_idempotencykey WHERE user_id = %s AND key = %s",
            [user_id, key],
        )
        row = cursor.fetchone()
    return row and Kept(row[0], None if row[1] is None else bytes(row[1]), row[2], row[3])


def _is_recorded(user_id, key: str) -> bool:
    kept = _kept(user_id, key)
    return kept is not None and kept.status == RECORDED


def _mark_recorded(user_id, key: str) -> None:
    MARK.changed(RECORDED, user_id, key)


def _give_back(user_id, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mes_idempotencykey WHERE user_id = %s AND key = %s", [user_id, key])


def _keep(user_id, key: str, path: str, response: HttpResponse) -> None:
    headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
    plain = json.dumps({"headers": headers, "body": base64.b64encode(response.content).decode()}).encode()
    KEEP.changed(response.status_code, _seal(plain, user_id, key, path), response["Content-Type"][:80], user_id, key)


def _repeat(kept: Kept, user_id, key: str, path: str, body: bytes) -> HttpResponse:
    if not _same(kept, path, body):
        raise _reused()
    if kept.answer is None:
        raise RuleBroken(
            "idempotency_answer_lost",
            "This was recorded, and the answer was lost on the way. Nothing is done again: look at what is recorded.",
        )
    answer = json.loads(_unseal(kept.answer, user_id, key, path))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content_type FROM mes_idempotencykey WHERE user_id = %s AND key = %s", [user_id, key])
        content_type = cursor.fetchone()[0]
    response = HttpResponse(base64.b64decode(answer["body"]), status=kept.status, content_type=content_type)
    for name, value in answer["headers"].items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def _reused() -> KeyReused:
    return KeyReused(
        "idempotency_key_reused",
        "This key was sent before with another content or to another address. Nothing was done. Make a new key.",
    )


def _sealing_key(secret: bytes) -> AESGCM:
    return AESGCM(hashlib.sha256(b"cartulary:idempotency:answer:" + secret).digest())


def _bound(user_id, key: str, path: str) -> bytes:
    return f"{user_id}\x00{key}\x00{path}".encode()


def _seal(plain: bytes, user_id, key: str, path: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + _sealing_key(_secrets()[0]).encrypt(nonce, plain, _bound(user_id, key, path))


def _unseal(sealed: bytes, user_id, key: str, path: str) -> bytes:
    for secret in _secrets():
        try:
            return _sealing_key(secret).decrypt(sealed[:12], sealed[12:], _bound(user_id, key, path))
        except InvalidTag:
            continue
    raise RuleBroken(
        "idempotency_answer_lost",
        "This was recorded, and its answer can no longer be read. Nothing is done again: look at what is recorded.",
    )


def forget(days: int = 30) -> int:
    """Remove answers older than this many days (wall clock); returns how many. What was recorded stays, of course."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mes_idempotencykey WHERE created_at < clock_timestamp() - make_interval(days => %s)", [days])
        return cursor.rowcount
