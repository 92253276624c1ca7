"""When an identifier that was typed proves identity: only when a second person read it too (decision 10). COI-03."""

from __future__ import annotations

from batches.lots.identifiers import Scanned
from batches.permissions import Permission
from mes.errors import UnreadableInput
from mes.people import rules as people
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof
from mes.signatures.rules import check_different_person


def check_scanned_or_read_by_two(*, by: Actor, read: Scanned, first_id, typed_with: Proof | None) -> None:
    """`first_id` is who hands over or takes in. Raises UnreadableInput("typed_alone"), NotAllowed (`same_person`, `not_your_role`)."""
    if typed_with is None:
        if read.for_eyes:
            raise UnreadableInput(
                "typed_alone",
                "This was typed, not scanned. Scan the label; when it cannot be read, a second person reads the identifier too and signs.",
                field="scanned",
            )
        return
    second = typed_with.user
    check_different_person(second.pk, first_id, f"{second.full_name} is the first person here. Another person has to read the identifier too and sign.")
    people.check_person_may(second, Permission.SIGN_AS_SECOND_PERSON, by.site_id)
