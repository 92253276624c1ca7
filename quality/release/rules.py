"""When a lot may be certified, rejected, withdrawn, dispatched and used. REL-01 to REL-09; 21 CFR 211.22, 211.192; EU GMP Part IV 11."""

from __future__ import annotations

import datetime as dt

from batches.lots.identifiers import ScanKind, parse_scan
from batches.lots.models import Container, Hold, Lot
from batches.lots.queries import container_of
from batches.lots.rules import check_may_be_discarded, check_same_container
from mes.clock import moment_words
from mes.errors import NotAllowed, RuleBroken, UnreadableInput, WrongScan
from mes.people.rules import check_may, check_person_may
from mes.records.actors import Actor
from mes.signatures.rules import check_different_person
from quality.permissions import Permission
from quality.release import integrity, queries
from quality.release.expiry import expiry_of
from quality.release.gate import GateLine, Ground, blocking, some
from quality.release.models import Certificate, IntegrityAssessment, ProductUse, ReleaseDecision
from quality.samples.models import Result

CERTIFIED = frozenset({"certified_stage_1", "certified_final"})
CLOCK_SLACK = dt.timedelta(minutes=2)
"""How far a clock at the bedside may differ from the record's, and what a time typed in whole minutes loses."""


def check_releaser(*, by: Actor, lot: Lot, signer) -> None:
    """Raises NotAllowed: nobody who made, checked or tested in the lot decides about its release. 21 CFR 211.22; REL-02."""
    check_person_may(signer, Permission.CERTIFY_LOT, by.site_id)
    _check_own_work(lot, signer, "decide about its release")


def _check_own_work(lot: Lot, signer, act: str) -> None:
    did = queries.judges_conflicts(lot).get(signer.pk)
    if did:
        raise NotAllowed(
            "own_work", f"{signer.full_name} {' and '.join(sorted(did))} in lot {lot.number} and cannot {act}. Another person has to do it.",
            detail={"subject": str(lot.pk)},
        )  # fmt: skip


def check_can_assess_integrity(*, by: Actor, lot: Lot, findings: list[str], text: str, signer) -> None:
    """Raises NotAllowed (`own_work`); RuleBroken: `assessed_before`, `reason_missing`. Decisions 8."""
    check_person_may(signer, Permission.ASSESS_DEVIATIONS, by.site_id)
    _check_own_work(lot, signer, "assess its trail")
    if integrity.standing(lot, findings) or integrity.unconfirmed(lot, findings):
        raise RuleBroken("assessed_before", "Exactly this was assessed before. Open the release page to see it.")
    _check_reason(text, "Say in your words what was found and what it means for this lot.")


def check_can_confirm_integrity(*, by: Actor, lot: Lot, assessment: IntegrityAssessment, signer) -> None:
    """Raises NotAllowed (`own_work`, `same_person`). Decisions 8."""
    check_person_may(signer, Permission.CERTIFY_LOT, by.site_id)
    _check_own_work(lot, signer, "confirm an assessment of its trail")
    first = assessment.signature
    check_different_person(first.signer_id, signer.pk, f"{first.full_name} signed the assessment. Another person has to confirm it.")


def check_can_certify(*, by: Actor, ground: Ground, lines: list[GateLine], signer) -> None:
    """Raises NotAllowed; RuleBroken: `certified_before`, `nothing_pending`, `gate_closed` with the codes of the lines that block."""
    lot = ground.lot
    check_releaser(by=by, lot=lot, signer=signer)
    if ReleaseDecision.objects.filter(lot=lot, kind=ground.stage).exists():
        raise RuleBroken("certified_before", f"Lot {lot.number} was certified in this stage before.")
    if ground.stage == "stage_1" and not any(line.is_pending_after_release for line in ground.results):
        raise RuleBroken("nothing_pending", "No result is pending. Certify the lot as final.", field="stage")
    closed = blocking(lines)
    if closed:
        more = f" And {len(closed) - 1} more." if len(closed) > 1 else ""
        first = closed[0]
        raise RuleBroken(
            "gate_closed", f"Lot {lot.number} cannot be certified. {first.text}: it does not hold. {first.detail}{more}".strip(),
            detail={"lines": [line.code for line in closed]},
        )  # fmt: skip


def check_can_reject(*, by: Actor, lot: Lot, reason: str, signer) -> None:
    """Raises NotAllowed; RuleBroken: `state_move`, `reason_missing`."""
    check_releaser(by=by, lot=lot, signer=signer)
    Lot.states.check_move(lot.state, "rejected")
    if lot.state == "rejected":
        raise RuleBroken("state_move", f"Lot {lot.number} was rejected before.")
    _check_reason(reason, "A rejection needs a reason in your words.")


def check_can_withdraw(*, by: Actor, lot: Lot, standing: ReleaseDecision | None, reason: str, signer) -> None:
    """Raises NotAllowed; RuleBroken: `not_certified`, `reason_missing`."""
    check_releaser(by=by, lot=lot, signer=signer)
    if standing is None or lot.state not in CERTIFIED:
        raise RuleBroken("not_certified", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. There is no certification to withdraw.")
    _check_reason(reason, "A withdrawal needs a reason in your words.")


def _check_reason(reason: str, sentence: str) -> None:
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", sentence, field="reason")


def check_can_keep_certificate(*, by: Actor, decision: ReleaseDecision) -> None:
    """The job renders a certificate once; what is there is never overwritten."""
    if by.kind != "system":
        raise NotAllowed("rendered_by_job", "Certificates are drawn by the background job from what was signed.")
    if decision.kind not in queries.MEANINGS:
        raise RuleBroken("no_certificate", "This decision gives no certificate.")
    if Certificate.objects.filter(decision=decision).exists():
        raise RuleBroken("rendered_before", "This certificate was drawn before. It is never overwritten.")


def check_can_late_failure(*, by: Actor, result: Result, lot: Lot) -> None:
    if lot.state not in CERTIFIED:
        raise RuleBroken("not_certified", f"Lot {lot.number} is not certified; a failing result is no late one.")


# --- what becomes of the product --------------------------------------------------------------------------------------


def check_may_leave(lot: Lot, standing: ReleaseDecision | None, at: dt.datetime) -> None:
    """Whether the product may go on to the patient now. Raises RuleBroken: `not_certified`, `certificate_invalid`, `lot_on_hold`, `product_expired`."""
    if lot.state not in CERTIFIED or standing is None:
        raise RuleBroken("not_certified", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. It leaves after certification, not before.")
    why = queries.why_not_valid(standing)
    if why:
        raise RuleBroken("certificate_invalid", f"The certificate of lot {lot.number} no longer holds: {why} Keep the product and call QA.")
    hold = Hold.objects.filter(lot=lot, state="open").first()
    if hold is not None:
        raise RuleBroken("lot_on_hold", f"Lot {lot.number} is on hold: {hold.reason} Somebody who may resume it decides how it goes on.")
    ends = expiry_of(lot)
    if ends is not None and ends <= at:
        raise RuleBroken("product_expired", f"The shelf life of lot {lot.number} ended on {moment_words(ends, lot.site.time_zone)}. It is not given.")


def check_can_dispatch(*, by: Actor, container: Container, standing: ReleaseDecision | None, at: dt.datetime, signer) -> None:
    """Raises NotAllowed; RuleBroken: `not_a_final_bag`, `not_rendered` and those of check_may_leave. REL-06."""
    check_person_may(signer, Permission.DISPATCH_PRODUCT, by.site_id)
    if container.kind != "final_bag":
        raise RuleBroken("not_a_final_bag", f"{container.title} is no final container. Only those are dispatched as product.")
    check_may_leave(container.lot, standing, at)


def check_can_record_use(
    *, by: Actor, container: Container, infused: bool, scanned: str, coi: str, standing: ReleaseDecision | None, at: dt.datetime,
    started_at: dt.datetime | None, ended_at: dt.datetime | None, volume: str, reason_code: str, reason: str, first, second,
) -> None:  # fmt: skip
    """Raises NotAllowed (`same_person`, `not_your_role`); WrongScan; RuleBroken: `used_before`, `not_a_final_bag`, `lot_not_decided` for what was not
    infused, `not_received` and those of check_may_leave and check_infusion for what was. COI-05; REL-06."""
    from batches.permissions import Permission as BatchPermission

    check_may(by, Permission.RECORD_INFUSION)
    check_person_may(first, Permission.RECORD_INFUSION, by.site_id)
    check_different_person(first.pk, second.pk, f"{first.full_name} signed first. Another person has to check the identity.")
    check_person_may(second, BatchPermission.SIGN_AS_SECOND_PERSON, by.site_id)
    check_identity(container, scanned, coi)
    if ProductUse.objects.filter(container=container).exists():
        raise RuleBroken("used_before", f"What became of {container.title} was recorded before.")
    if container.kind != "final_bag":
        raise RuleBroken("not_a_final_bag", f"{container.title} is no final container. Only those are infused.")
    if not infused:
        check_may_be_discarded(container)
        if reason_code not in queries.NOT_INFUSED:
            raise UnreadableInput("reason_code_unknown", "Choose why it was not infused.", field="reason_code")
        _check_reason(reason, "Say in your words why it was not infused.")
        return
    check_may_leave(container.lot, standing, at)
    if container.state != "received":
        raise RuleBroken("not_received", f"{container.title} is {container.state.replace('_', ' ')}. The treatment centre receives it first, by scan.")
    check_infusion(container, standing=standing, at=at, started_at=started_at, ended_at=ended_at, volume=volume, reason=reason)


def check_infusion(
    container: Container, *, standing: ReleaseDecision | None, at: dt.datetime, started_at: dt.datetime | None, ended_at: dt.datetime | None, volume: str,
    reason: str,
) -> None:  # fmt: skip
    """Whether times and volume can be those of an infusion of this container: one certified, received and fresh, that has happened by now.

    Raises UnreadableInput: `start_missing`, `end_before_start`, `start_in_the_future`, `end_in_the_future`, `start_before_certification`,
    `start_before_receipt`, `volume_not_positive`, `volume_above_bag`, `volume_unbounded` without a reason, and those of read_value;
    RuleBroken("product_expired"). REL-06; 21 CFR 211.137, 211.150.
    """
    if started_at is None:
        raise UnreadableInput("start_missing", "Say when the infusion started.", field="started_at")
    if ended_at is not None and ended_at < started_at:
        raise UnreadableInput("end_before_start", "The infusion ends after it starts. Look at the two times.", field="ended_at")
    if started_at > at + CLOCK_SLACK:
        raise UnreadableInput("start_in_the_future", "This start lies in the future. Type when it started.", field="started_at")
    if ended_at is not None and ended_at > at + CLOCK_SLACK:
        raise UnreadableInput("end_in_the_future", "This end lies in the future. Record the infusion when it has ended, or leave it out.", field="ended_at")
    _check_not_before(container, standing, started_at)
    ends, zone = expiry_of(container.lot), container.lot.site.time_zone
    if ends is not None and started_at >= ends:
        raise RuleBroken(
            "product_expired", f"The shelf life of lot {container.lot.number} ended on {moment_words(ends, zone)}, before this start. Call QA.",
            field="started_at",
        )  # fmt: skip
    read = queries.volume_read(volume, container.lot.site.decimal_sign)
    if read is not None and read.value <= 0:
        raise UnreadableInput("volume_not_positive", "A volume that was infused is more than 0 mL. Type what was given.", field="volume")
    if read is None:
        return
    held = queries.volume_held(container)
    if held is None and len(reason.strip()) < 3:
        raise UnreadableInput(
            "volume_unbounded",
            f"Nothing here tells whether {read} can have been in the bag: {queries.held_words(container)}. "
            "Both read its label again; then type in your words what it says.",
            field="reason",
        )
    if held is not None and queries.is_more(read, held):
        raise UnreadableInput(
            "volume_above_bag", f"{container.title} held {held}, and more cannot have been given from it. Read the bag and its label again.", field="volume"
        )


def _check_not_before(container: Container, standing: ReleaseDecision | None, started_at: dt.datetime) -> None:
    zone = container.lot.site.time_zone
    certified = queries.certified_since(standing) if standing else None
    if certified is not None and started_at < certified - CLOCK_SLACK:
        raise UnreadableInput(
            "start_before_certification",
            f"Lot {container.lot.number} was certified on {moment_words(certified, zone)}, and this start lies before. Look at day and time.",
            field="started_at",
        )
    received = queries.received_at_centre(container)
    if received is not None and started_at < received - CLOCK_SLACK:
        raise UnreadableInput(
            "start_before_receipt",
            f"{container.title} was received at the treatment centre on {moment_words(received, zone)}, and this start lies before. Look at day and time.",
            field="started_at",
        )


def check_identity(container: Container, scanned: str, coi: str) -> None:
    """The container and the patient's chain-of-identity code, each scanned or read in full. Raises WrongScan. COI-03, COI-05."""
    check_same_container(container, container_of(parse_scan(scanned)))
    wanted = container.lot.therapy_event.coi
    read = queries.patient_scanned(coi)
    if read is None or read.kind is not ScanKind.THERAPY_EVENT or read.value != wanted:
        raise WrongScan(
            "wrong_patient",
            f"The code of the patient is not that of lot {container.lot.number}, check code {container.lot.check_code}. Do not infuse. Call QA.",
            field="coi",
            detail={"subject": str(container.lot_id)},
        )


def why_closed(lines: list[GateLine]) -> str:
    """The first conditions that do not hold, for a line on a page."""
    return some([line.text for line in blocking(lines)], 2)
