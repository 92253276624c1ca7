"""What a signature can mean: code, the sentence that is signed, and how strongly the signer proves who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Proof = Literal["floor", "desk", "certify"]
"""floor: badge or user name and signing PIN; desk: user name and password; certify: both and a second factor."""


@dataclass(frozen=True)
class Meaning:
    """One meaning. `text` is printed with the signature; `proof` is the least ceremony it needs (decisions 5)."""

    code: str
    text: str
    proof: Proof = "desk"
    needs_reason: bool = False
    before_enabled: bool = False
    """Signed before signing is enabled for a person, since it is one of the records that enable it (SIG-11)."""


MEANINGS: dict[str, Meaning] = {
    m.code: m
    for m in (
        Meaning("performed", "I did this step and recorded it as I did it.", "floor"),
        Meaning(
            "verified",
            "I independently checked this step and the values recorded in it.",
            "floor",
        ),
        Meaning(
            "witnessed",
            "I watched this step being done and checked the values recorded in it.",
            "floor",
        ),
        Meaning(
            "cleared",
            "I checked that nothing of another lot is present in this area.",
            "floor",
        ),
        Meaning(
            "confirmed_identity",
            "I checked the identity of the patient and of this container.",
            "floor",
        ),
        Meaning(
            "confirmed_typed_identity",
            "I checked the identity of the patient and of this container on identifiers that were typed in full, not scanned.",
            "floor",
        ),
        Meaning(
            "confirmed_transcription",
            "I compared the corrected value with its source.",
            "floor",
        ),
        Meaning(
            "confirmed_reading",
            "I confirm that this equipment reading belongs to this step.",
            "floor",
        ),
        Meaning(
            "typed_identifier",
            "I read this identifier from the container together with a second person.",
            "floor",
        ),
        Meaning(
            "ordered",
            "I ordered this lot for this therapy event and checked the identity.",
        ),
        Meaning("authored", "I wrote this version."),
        Meaning(
            "approved", "I reviewed this version and approve that it takes effect."
        ),
        Meaning(
            "accepted_starting_material",
            "I decided on the use of this starting material.",
        ),
        Meaning("tested", "I performed this test and recorded its result."),
        Meaning(
            "reviewed_result", "I reviewed this result for accuracy and completeness."
        ),
        Meaning(
            "assessed", "I assessed the impact of this deviation on this lot.", "desk"
        ),
        Meaning("closed", "I close this deviation."),
        Meaning(
            "reviewed",
            "I reviewed this record including its exceptions and its audit trail.",
        ),
        Meaning(
            "certified_stage_1",
            "I certify this lot for supply; results timed after release are pending.",
            "certify",
        ),
        Meaning(
            "certified_final",
            "I certify this lot; every required result is in.",
            "certify",
        ),
        Meaning("rejected", "I reject this lot.", "certify", needs_reason=True),
        Meaning(
            "withdrawn",
            "I withdraw the certification of this lot.",
            "certify",
            needs_reason=True,
        ),
        Meaning(
            "placed_on_hold", "I place this lot on hold.", "floor", needs_reason=True
        ),
        Meaning(
            "resumed", "I decide that this lot goes on.", "desk", needs_reason=True
        ),
        Meaning("left_out", "I decide that this step is not done.", "desk", needs_reason=True),
        Meaning(
            "terminated", "I decide that this lot ends here.", "desk", needs_reason=True
        ),
        Meaning("decided", "I decided how this lot goes on.", "floor"),
        Meaning("released_material", "I release this material lot for use.", "desk"),
        Meaning("erased_identity", "I decided that the identity of this patient is erased.", "desk", needs_reason=True),
        Meaning("acknowledged_accountability", "I have read this, and I answer for what is signed with my secrets.", before_enabled=True),
        Meaning("acknowledged", "I have read and understood this.", "desk"),
        Meaning("dispatched", "I hand this container over for transport.", "floor"),
        Meaning(
            "received", "I received this container and checked its identity.", "floor"
        ),
        Meaning(
            "infused",
            "I infused this product into the patient it was made for.",
            "floor",
        ),
        Meaning(
            "not_infused", "This product was not infused.", "floor", needs_reason=True
        ),
    )
}


def meaning(code: str) -> Meaning:
    """The meaning of a code; KeyError when there is none (a programmer's error)."""
    return MEANINGS[code]
