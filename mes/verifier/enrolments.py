"""The enrolments in an evidence file: that the key with which a passkey's proof was made is one that the signer enrolled before a second person.

Each line of enrolments.jsonl holds the entry of the enrolment, out of the signer's own stream, what follows it there up to a checkpoint, the rows of
the passkey and of the record who checked, and the checkpoint with the proof that the stream's head is under it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import covered
from .canon import entry_hash, read_entry, row_digest, schema_id
from .keys import Keys

ENROLLED = "mes.passkey_enrolled"


class Broken(ValueError):
    """An enrolment that does not hold; a sentence."""


@dataclass(frozen=True)
class Enrolment:
    """Who enrolled which key, when."""

    owner: str
    public_key: str
    credential_id: str
    at: str


def read(lines: bytes, sites: Mapping, keys: Keys) -> tuple[dict[str, Enrolment], list[str]]:
    """The enrolments that hold, by the passkey's id; and a sentence for each that does not."""
    found: dict[str, Enrolment] = {}
    broken = []
    for number, line in enumerate(lines.splitlines(), start=1):
        try:
            passkey, enrolment = _one(json.loads(line), sites, keys)
            found[passkey] = enrolment
        except covered.NotProven as error:
            broken.append(f"the enrolment in line {number} of enrolments.jsonl is not proven: {error}")
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            broken.append(f"the enrolment in line {number} of enrolments.jsonl does not hold: {error}")
    return found, broken


def check(enrolment: Enrolment, signature: Mapping, assertion: Mapping) -> Iterator[tuple[str, str]]:
    """Kind and sentence of each break between a signature's proof and the enrolment of its passkey."""
    if not _is_enrolled(enrolment, signature, assertion):
        yield "unproven", "the passkey's key is not the one that the signer enrolled"
    if enrolment.at > str(signature.get("recorded_at")):
        yield "unproven", "the passkey was enrolled after it is said to have signed"


def _is_enrolled(enrolment: Enrolment, signature: Mapping, assertion: Mapping) -> bool:
    enrolled = (enrolment.owner, enrolment.public_key, enrolment.credential_id)
    return enrolled == (signature.get("signer_id"), assertion.get("public_key"), assertion.get("credential_id"))


def _one(said: dict, sites: Mapping, keys: Keys) -> tuple[str, Enrolment]:
    entries = _linked(said["entries"])
    first, stream = entries[0][0], entries[0][0]["stream"]
    note = covered.read_note(said["checkpoint"].encode(), f"cartulary/{sites.get(first['site'], '')}", keys)
    head = covered.check(json.dumps(said["proof"]).encode(), note)
    if head != (stream, int(entries[-1][0]["seq"]), entries[-1][1]):
        raise Broken("its checkpoint holds another entry")
    schemas = {schema_id(each["table"], each["columns"]): (each["table"], set(each["columns"])) for each in said["schemas"]}
    rows = [_cited(row, first, schemas) for row in said["rows"]]
    (passkey,) = (row["columns"] for row in rows if row["table"] == "mes_passkey")
    owner, passkey_id = passkey["user_id"], passkey["id"]
    is_owners = stream == f"person:{owner}" and first["by"]["id"] == owner and ENROLLED in first["events"]
    if not is_owners or passkey["version"] != "1" or passkey_id != said["passkey"]:
        raise Broken("it is not the enrolment of this passkey by its owner")
    if not any(_is_check(row, owner, passkey_id) for row in rows):
        raise Broken("nobody else checked who enrolled it")
    return passkey_id, Enrolment(owner, passkey["public_key"], passkey["credential_id"], first["at"])


def _is_check(row: dict, owner: str, passkey_id: str) -> bool:
    """Whether the row says that a second person checked who enrolled the passkey."""
    said = row["columns"]
    return row["table"] == "mes_qualification" and said["subject"] == f"passkey:{passkey_id}" and said["user_id"] == owner != said["trainer_id"]


def _linked(lines: list) -> list[tuple[dict, str]]:
    """Each entry with its hash, one continuing the other in one stream."""
    found: list[tuple[dict, str]] = []
    for each in lines:
        raw = each["canon"].encode()
        said, digest = read_entry(raw), entry_hash(raw)
        if digest != each["hash"]:
            raise Broken("the hash of an entry is not that of its bytes")
        if found and (said["prev"], said["stream"], int(said["seq"])) != (found[-1][1], found[-1][0]["stream"], int(found[-1][0]["seq"]) + 1):
            raise Broken("an entry does not continue the one before")
        found.append((said, digest))
    return found


def _cited(row: dict, entry: dict, schemas: Mapping) -> dict:
    """The row, which the entry cites with this very digest."""
    digest = next((each[4] for each in entry["rows"] if each[:4] == [row["table"], row["id"], row["version"], row["schema"]]), None)
    table, columns = schemas.get(row["schema"], ("", set()))
    if digest is None or table != row["table"] or columns != set(row["columns"]) or row_digest(row["columns"]) != digest or row["columns"]["id"] != row["id"]:
        raise Broken("a row of it is not the one that was sealed")
    return row
