"""What a signature can mean: code, the sentence that is signed, and how strongly the signer proves who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INFUSION = "quality.record_infusion"
FIRST = ("performed", "decided")
RECORD_VALUES, SECOND_PERSON = "batches.record_values", "batches.sign_as_second_person"
"""Permissions by name: the apps above own them, and this table says which of them a meaning takes."""

Proof = Literal["floor", "desk", "certify"]
"""floor: badge or user name and signing PIN; desk: user name and password; certify: both and a second factor."""


@dataclass(frozen=True)
class Meaning:
    """One meaning. `text` is printed with the signature; `proof` is the least ceremony it needs (decisions 5)."""

    code: str
    text: str
    proof: Proof = "desk"
    needs_reason: bool = False
    used_by: tuple[str, ...] = ()
    """The permissions under which it is signed; a role without one of them cannot use it (SIG-07). Empty: anybody, about themselves."""
    after: tuple[str, ...] = ()
    """Meanings of which one signs the same record first (SIG-08)."""
    deputies: bool = False
    """Whether a deputy may sign it under an authority (SIG-14)."""
    before_enabled: bool = False
    """Signed before signing is enabled for a person, since it is one of the records that enable it (SIG-11)."""


MEANINGS: dict[str, Meaning] = {
    m.code: m
    for m in (
        # --- on the floor: nobody does or watches something as somebody's deputy
        Meaning("performed", "I did this step and recorded it as I did it.", "floor", used_by=(RECORD_VALUES,)),
        Meaning("verified", "I independently checked this step and the values recorded in it.", "floor", used_by=(SECOND_PERSON,), after=FIRST),
        Meaning("witnessed", "I watched this step being done and checked the values recorded in it.", "floor", used_by=(SECOND_PERSON,), after=FIRST),
        Meaning("cleared", "I checked that nothing of another lot is present in this area.", "floor", used_by=(SECOND_PERSON,), after=FIRST),
        Meaning("confirmed_identity", "I checked the identity of the patient and of this container.", "floor", used_by=(RECORD_VALUES, INFUSION)),
        Meaning(
            "confirmed_typed_identity", "I checked the identity of the patient and of this container on identifiers that were typed in full, not scanned.",
            "floor", used_by=(RECORD_VALUES, INFUSION),
        ),
        Meaning("confirmed_transcription", "I compared the corrected value with its source.", "floor", used_by=(SECOND_PERSON, "quality.review_results")),
        Meaning("confirmed_reading", "I confirm that this equipment reading belongs to this step.", "floor", used_by=(RECORD_VALUES,)),
        Meaning("typed_identifier", "I read this identifier from the container together with a second person.", "floor", used_by=(SECOND_PERSON,)),
        Meaning("decided", "I decided how this lot goes on.", "floor", used_by=(RECORD_VALUES,)),
        Meaning(
            "dispatched", "I hand this container over for transport.", "floor", used_by=("batches.record_collection", "batches.issue_product")
        ),
        Meaning(
            "received", "I received this container and checked its identity.", "floor", used_by=("batches.receive_starting_material", RECORD_VALUES)
        ),
        Meaning("infused", "I infused this product into the patient it was made for.", "floor", used_by=(INFUSION,)),
        Meaning("not_infused", "This product was not infused.", "floor", needs_reason=True, used_by=(INFUSION,)),
        Meaning("placed_on_hold", "I place this lot on hold.", "floor", needs_reason=True, used_by=("batches.hold_lot",)),
        # --- at a desk
        Meaning("ordered", "I ordered this lot for this therapy event and checked the identity.", used_by=("batches.order_lot",)),
        Meaning("authored", "I wrote this version.", used_by=("batches.author_recipes", "quality.author_specifications")),
        Meaning(
            "approved", "I reviewed this version and approve that it takes effect.", used_by=("batches.approve_recipes", "quality.approve_specifications"),
            deputies=True,
        ),
        Meaning("accepted_starting_material", "I decided on the use of this starting material.", used_by=("batches.decide_starting_material",), deputies=True),
        Meaning("tested", "I performed this test and recorded its result.", used_by=("quality.record_results",)),
        Meaning("reviewed_result", "I reviewed this result for accuracy and completeness.", used_by=("quality.review_results",), deputies=True),
        Meaning("assessed", "I assessed the impact of this deviation on this lot.", used_by=("quality.assess_deviations",), deputies=True),
        Meaning("closed", "I close this deviation.", used_by=("quality.assess_deviations",), deputies=True),
        Meaning("reviewed", "I reviewed this record including its exceptions and its audit trail.", used_by=("quality.review_lot",), deputies=True),
        Meaning("resumed", "I decide that this lot goes on.", needs_reason=True, used_by=("batches.resume_lot",), deputies=True),
        Meaning("left_out", "I decide that this step is not done.", needs_reason=True, used_by=("batches.resume_lot",), deputies=True),
        Meaning("terminated", "I decide that this lot ends here.", needs_reason=True, used_by=("batches.terminate_lot",), deputies=True),
        Meaning("released_material", "I release this material lot for use.", used_by=("batches.release_material",), deputies=True),
        Meaning("erased_identity", "I decided that the identity of this patient is erased.", needs_reason=True, used_by=("batches.erase_patient",)),
        Meaning(
            "assessed_integrity", "I assessed what was found about the audit trail and the guards of the database, and what it means for this lot.",
            needs_reason=True, used_by=("quality.assess_deviations",),
        ),
        Meaning(
            "confirmed_integrity", "I read this assessment and what was found, and I agree that this lot can be judged for release.", "certify",
            used_by=("quality.certify_lot",), after=("assessed_integrity",),
        ),
        # --- certifying is tied to the named person, never to a deputy (Annex 16)
        Meaning("certified_stage_1", "I certify this lot for supply; results timed after release are pending.", "certify", used_by=("quality.certify_lot",)),
        Meaning("certified_final", "I certify this lot; every required result is in.", "certify", used_by=("quality.certify_lot",)),
        Meaning("rejected", "I reject this lot.", "certify", needs_reason=True, used_by=("quality.certify_lot",)),
        Meaning("withdrawn", "I withdraw the certification of this lot.", "certify", needs_reason=True, used_by=("quality.certify_lot",)),
        # --- about people and their access
        Meaning("acknowledged_accountability", "I have read this, and I answer for what is signed with my secrets.", before_enabled=True),
        Meaning("reviewed_access", "I reviewed who holds which access at this site, with this result.", needs_reason=True, used_by=("mes.approve_access",)),
        Meaning("approved_authority", "I approve that this person deputises as shown here.", used_by=("mes.approve_access",)),
    )
}


def meaning(code: str) -> Meaning:
    """The meaning of a code; KeyError when there is none (a programmer's error)."""
    return MEANINGS[code]
