"""Deeds on labels and hand-overs."""

from __future__ import annotations

import hashlib

from batches.custody import paper, queries, rules
from batches.custody.models import HandOver, Label
from batches.events import Event
from batches.lots.identifiers import parse_scan
from batches.lots.models import Container
from batches.lots.queries import container_of
from batches.lots.services import move_container, prove_identity
from batches.subjects import vault
from batches.subjects.services import read_identity
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign


@service(Event.LABEL_PRINTED)
def print_label(*, by: Actor, container_id, reason: str = "") -> Label:
    """Print a label: a PDF with a GS1 Data Matrix and, on a final label, what the market asks for of the patient.

    The PDF is kept encrypted under the patient's key; `content_digest` is the SHA-256 of the encrypted specimen, so no digest of a
    patient's name exists. open_specimen() gives the PDF to the printer. Raises what rules.check_can_print_label raises.
    """
    container = Container.objects.lock(container_id)
    wording = queries.wording(container)
    printed = Label.objects.filter(container=container).count()
    rules.check_can_print_label(by=by, container=container, wording=wording, printed=printed, reason=reason)
    patient = container.lot.therapy_event.patient
    identity = read_identity(by=by, patient_id=patient.pk, purpose="label")[1] if wording.identity else None
    pdf = paper.label_pdf(container, printed + 1, wording, identity, deed_now().at)
    label = Label(site_id=by.site_id, lot_id=container.lot_id, container=container, serial=printed + 1, reprint_reason=reason.strip() if printed else "")
    label.specimen = vault.seal(patient.pk, pdf, _purpose(label))
    label.content_digest = hashlib.sha256(label.specimen).hexdigest()
    label.save()
    return label


def _purpose(label: Label) -> str:
    return f"label:{label.pk}"


@service(Event.SPECIMEN_OPENED)
def open_specimen(*, by: Actor, label_id) -> tuple[Label, bytes]:
    """The label as it was printed (PDF), for the printer or for comparison. Where it shows the patient, the reading is recorded."""
    label = queries.label(label_id)
    rules.check_can_open_specimen(by=by, label=label)
    patient_id = label.lot.therapy_event.patient_id
    if queries.wording(label.container).identity:
        read_identity(by=by, patient_id=patient_id, purpose="label")
    return label, vault.unseal(patient_id, label.specimen, _purpose(label))


@service(Event.LABEL_USED)
def use_label(*, by: Actor, label_id, seen: int, scanned_label: str, scanned_container: str, typed_with: ceremony.Proof | None = None) -> Label:
    """The label is on its container: the new label was scanned, and what the container carries or was filled from.

    `typed_with` is the proof of a second person who read what the container carries, where that could not be scanned; it is signed and
    counted. Raises IdentifierRefused, what rules.check_can_use_label raises, UnreadableInput("typed_alone"). COI-03.
    """
    label = Label.objects.lock(label_id, seen=seen)
    first, second = parse_scan(scanned_label), parse_scan(scanned_container)
    in_use = Label.objects.filter(container_id=label.container_id, state="used").exists()
    rules.check_can_use_label(by=by, label=label, first=first, named=container_of(first), second=second, other=container_of(second), in_use=in_use)
    prove_identity(by=by, record=label.container, read=second, first_id=by.user_id, typed_with=typed_with, lot_id=label.lot_id)
    label.state = "used"
    label.save()
    return label


@service(Event.LABEL_DESTROYED)
def destroy_label(*, by: Actor, label_id, seen: int, reason: str) -> Label:
    """A printed label was not used, or a used one was taken off: it is destroyed and counted."""
    label = Label.objects.lock(label_id, seen=seen)
    rules.check_can_destroy_label(by=by, label=label, reason=reason)
    label.state, label.destroyed_reason = "destroyed", reason.strip()
    label.save()
    return label


@service(Event.HANDED_OVER)
def hand_over(
    *,
    by: Actor,
    container_id,
    kind: str,
    scanned: str,
    from_place: str,
    to_place: str,
    proof: ceremony.Proof,
    carrier: str = "",
    seal: str = "",
    logger: str = "",
    temperature_min: str = "",
    temperature_max: str = "",
    remark: str = "",
    typed_with: ceremony.Proof | None = None,
) -> HandOver:
    """A container passes from one to another, by scan and signature. Kinds: wording.HAND_OVERS. COI-04.

    The signer is the giving or the receiving person; the other side signs its own hand-over. `typed_with` is the proof
    of a second person who read an identifier that could not be scanned. The signature covers every
    detail as given. A temperature outside the recipe's limits is recorded, and its excursion with its deviation is written in this transaction
    (execution.wiring). Raises what rules.check_can_hand_over raises, what queries.temperatures_of raises, UnreadableInput("typed_alone").
    """
    container = Container.objects.lock(container_id)
    read = parse_scan(scanned)
    named = container_of(read)
    rules.check_can_hand_over(by=by, container=container, kind=kind, named=named, proof=proof, places=(from_place, to_place))
    prove_identity(by=by, record=container, read=read, first_id=proof.user.pk, typed_with=typed_with, lot_id=container.lot_id)
    rule = rules.HAND_OVER_RULES[kind]
    details = {
        "from_place": from_place.strip(), "to_place": to_place.strip(), "carrier": carrier.strip(), "seal": seal.strip(), "logger": logger.strip(),
        "temperature_min": temperature_min.strip(), "temperature_max": temperature_max.strip(), "remark": remark.strip(),
    }  # fmt: skip
    read_at_hand = queries.temperatures_of(container, kind, details)
    sign(
        by=by, proof=proof, what=queries.hand_over_subject(container, kind, details), meaning=rule.meaning, stream=container.stream,
        lot_id=container.lot_id, permission=rule.permission,
    )  # fmt: skip
    fact = HandOver(
        site_id=by.site_id, by_id=proof.user.pk, lot_id=container.lot_id, container=container, kind=kind, temperature_low=read_at_hand.low,
        temperature_high=read_at_hand.high, temperature_level=read_at_hand.level, temperature_sentence=read_at_hand.sentence, **details,
    )  # fmt: skip
    fact.save()
    if rule.state:
        move_container(by=by, container_id=container.pk, state=rule.state)
    return fact
