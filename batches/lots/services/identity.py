"""The second person's signature under an identifier that was typed: the Fact that is counted (decision 10)."""

from __future__ import annotations

from batches.lots import queries, rules
from batches.lots.identifiers import Scanned
from batches.permissions import Permission
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof
from mes.signatures.services import sign


def prove_identity(*, by: Actor, record, read: Scanned, first_id, typed_with: Proof | None, lot_id=None) -> None:
    """A scan is enough by itself; a typed identifier is signed by its second person. Called inside a deed, once the identifier is the right one.

    Raises what rules.check_scanned_or_read_by_two raises.
    """
    rules.check_scanned_or_read_by_two(by=by, read=read, first_id=first_id, typed_with=typed_with)
    if typed_with is not None:
        sign(
            by=by, proof=typed_with, what=queries.typed_subject(record, read.text), meaning="typed_identifier", stream=record.stream, lot_id=lot_id,
            permission=Permission.SIGN_AS_SECOND_PERSON,
        )  # fmt: skip
