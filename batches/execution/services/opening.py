"""Opening a step: the right person, in order, on a cleared line, with the right container in hand. 21 CFR 211.100, 211.130; COI-03."""

from __future__ import annotations

from decimal import Decimal

from batches.events import Event
from batches.execution import queries, rules
from batches.execution.models import ScanEvent, StepRun
from batches.execution.queries.content import typed_subject
from batches.execution.queries.scans import container_sentence, donation_sentence, is_spent, look_up
from batches.execution.services.recording import Book
from batches.execution.services.scans import keep_scan
from batches.execution.work import Work, work_on
from batches.lots.models import Container
from batches.lots.services import make_container, move_container, start_lot
from batches.permissions import Permission
from mes.errors import UnreadableInput
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import services as signatures
from mes.signatures.ceremony import Proof


@service(Event.STEP_OPENED)
def open_step(*, by: Actor, step_run_id, seen: int, scanned: str = "", typed_with: Proof | None = None) -> StepRun | ScanEvent:
    """Open the next step of a lot; one that touches material opens only on the full identifier of its container.

    `typed_with` is the proof of a second person who read an identifier that could not be scanned (it is signed and counted). Returns the
    StepRun, or the ScanEvent of a wrong scan, which is kept (raise it with `queries.refusal_of`). The first line clearance starts the lot;
    containers the step makes exist from here on, so that their labels can be printed. Raises StaleRecord, NotAllowed, OutOfSequence.
    """
    work = work_on(step_run_id, seen=seen)
    rules.check_can_open_step(by=by, run=work.run, recipe=work.recipe, step=work.step)
    if work.step.kind == "line_clearance" and work.lot.state == "ordered":
        start_lot(by=by, lot_id=work.lot.pk)
    if work.step.touches_material is not None:
        wrong = _identify(by, work, scanned, typed_with)
        if wrong is not None:
            return wrong
    run = work.run
    run.state, run.opened_at, run.opened_by_id = "open", deed_now().at, by.user_id
    run.save()
    book = Book.of(by, work)
    _make_containers(by, work, book)
    # What can be calculated from earlier steps is there before the first value is typed.
    book.recalculate(set(), only=run)
    book.settle()
    book.note_breaches({f"step:{run.step_key}.started"})
    return run


def _identify(by: Actor, work: Work, scanned: str, typed_with: Proof | None) -> ScanEvent | None:
    """Check the container; the ScanEvent when it is the wrong one. A typed identifier is signed by its second person."""
    wanted = work.recipe.container(work.step.touches_material)
    if not scanned.strip():
        raise UnreadableInput("scan_missing", f"Scan the label of {wanted.title}, lot {work.lot.number}, check code {work.lot.check_code}.", field="code")
    found = look_up(scanned)
    right = found.container is not None and found.container.lot_id == work.lot.pk and found.container.code == wanted.code
    spent = right and is_spent(found.container, after_release=queries.is_after_release(work.recipe, work.run.step_key))
    if spent or not right:
        code, sentence = container_sentence(found, work.lot, wanted.title, spent=spent)
        return keep_scan(by, work, found, "open", code=code, sentence=sentence)
    unusable = donation_sentence(found.container, work.lot)
    if unusable is not None:
        return keep_scan(by, work, found, "open", code=unusable[0], sentence=unusable[1])
    rules.check_scanned(found.for_eyes, typed_with is not None)
    if typed_with is not None:
        rules.check_can_type_identifier(by=by, run=work.run, signer=typed_with.user)
        signatures.sign(
            by=by, proof=typed_with, what=typed_subject(work.run, scanned), meaning="typed_identifier", stream=work.run.stream, lot_id=work.lot.pk,
            permission=Permission.SIGN_AS_SECOND_PERSON,
        )  # fmt: skip
    keep_scan(by, work, found, "open", typed=typed_with is not None, beside=typed_with.user if typed_with else None)
    if found.container.state == "expected" and found.container.donation_id is None:
        move_container(by=by, container_id=found.container.pk, state="in_use")
    return None


def _make_containers(by: Actor, work: Work, book: Book) -> None:
    there = set(Container.objects.filter(lot=work.lot).values_list("code", flat=True))
    for line in work.recipe.containers:
        if line.created_by != work.run.step_key or line.code in there:
            continue
        for _ in range(_how_many(line, work, book)):
            make_container(by=by, lot_id=work.lot.pk, code=line.code)


def _how_many(line, work: Work, book: Book) -> int:
    """One; of the final bag as many as the record says, once it does."""
    bags = book.ledger.values().get(work.recipe.certificate.bags) if line.kind == "final_bag" else None
    return min(int(bags), 50) if isinstance(bags, Decimal) and bags >= 1 else 1


