"""Values: recorded as they are left, confirmed from equipment, corrected with a second person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from batches.events import Event
from batches.execution import queries, rules
from batches.execution.models import Entry, EntryAttempt, ExcursionChoice
from batches.execution.queries.content import correction_subject
from batches.execution.services.recording import Book, Given
from batches.execution.work import Work, work_on
from batches.permissions import Permission
from batches.readings.models import Reading
from batches.recipes.document.schema import Parameter
from batches.recipes.quantities import Quantity, ValueRefused, read_value
from mes.errors import Missing, UnreadableInput
from mes.people.models import User
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import services as signatures
from mes.signatures.ceremony import Proof


@dataclass(frozen=True)
class Typed:
    """One value as a person or a program gives it. `saw` is the id of the entry the screen showed (None: an empty field);
    `again` is the second typing of a value that is typed twice; `unit` the unit sent beside it, if one was."""

    parameter: str
    text: str
    saw: str | None = None
    claimed_at: dt.datetime | None = None
    reason: str = ""
    again: str | None = None
    unit: str | None = None


@service(Event.VALUE_RECORDED)
def record_value(
    *,
    by: Actor,
    step_run_id,
    parameter: str,
    text: str,
    saw=None,
    claimed_at: dt.datetime | None = None,
    reason: str = "",
    again: str | None = None,
    unit: str | None = None,
) -> Entry | EntryAttempt:
    """Record one value of an open step as it was typed, judged now. 21 CFR 11.10(e), 211.100(b); PIC/S PI 041 9.5.

    Returns the Entry, or an EntryAttempt when the text is no value of the type or not plausible: it is kept with its code and the step stays
    unfilled (raise it to the person with `queries.refusal_of`). Writes excursion, hard stop, calculated values and time-limit excursions
    in the same transaction. Raises what rules.check_can_work_on_step and rules.check_can_record_value raise.
    """
    return record_values(
        by=by, step_run_id=step_run_id, values=[Typed(parameter, text, saw, claimed_at, reason, again, unit)], reason=reason
    )[0]


@service(Event.VALUE_RECORDED)
def record_values(*, by: Actor, step_run_id, values: list[Typed], reason: str = "") -> tuple[Entry | EntryAttempt, ...]:
    """Record several values of one step in one deed; all or, where one is refused by a rule, none.

    A value that cannot be read is kept as an attempt and does not refuse the others.
    """
    work = work_on(step_run_id)
    rules.check_can_work_on_step(by=by, work=work)
    if not values:
        raise UnreadableInput("nothing_given", "No value was sent. Send at least one.", field="values")
    names = [each.parameter for each in values]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UnreadableInput("value_twice", f"{twice} is sent twice. Send each value once.", field=twice)
    book = Book.of(by, work)
    results = tuple(_record(by, work, book, each) for each in values)
    book.settle()
    return results


def _record(by: Actor, work: Work, book: Book, typed: Typed) -> Entry | EntryAttempt:
    parameter = parameter_of(work, typed.parameter)
    late = rules.check_claimed(typed.claimed_at, deed_now().at, work)
    current = book.ledger.entry(work.run.pk, parameter.key)
    rules.check_can_record_value(by=by, work=work, parameter=parameter, current=current, saw=typed.saw, late=late, reason=typed.reason)
    if not typed.text.strip():
        raise UnreadableInput("empty", "Nothing was typed. Type the value.", field=parameter.key)
    try:
        quantity = read_typed(work, parameter, typed.text, typed.unit)
        _check_ordered_cohort(work, parameter, quantity)
        rules.check_moment(work, book.ledger, parameter, quantity, deed_now().at)
    except ValueRefused as refused:
        return book.attempt(work.run, parameter.key, typed.text, refused.code, refused.sentence)
    if parameter.double_entry:
        if typed.again is None:
            raise UnreadableInput("second_entry_missing", f"{parameter.name} is typed twice. Type it once more.", field=parameter.key)
        if typed.again.strip() != typed.text.strip():
            sentence = "The two entries differ, so neither was recorded. Read the value again and type it twice."
            return book.attempt(work.run, parameter.key, f"{typed.text} / {typed.again}", "entries_differ", sentence)
    return book.enter(work.run, parameter, quantity, Given(claimed_at=typed.claimed_at, late=late, reason=typed.reason.strip()))


def parameter_of(work: Work, key: str) -> Parameter:
    """The parameter of the step. Raises Missing."""
    try:
        return work.step.parameter(key)
    except KeyError:
        raise Missing("no_such_value", f"Step {work.run.key} records no value {key}.", field=key) from None


def read_typed(work: Work, parameter: Parameter, text: str, given_unit: str | None = None) -> Quantity:
    """What was typed as a value of the parameter. Raises ValueRefused."""
    return read_value(
        text, parameter.type, unit=parameter.unit or "", given_unit=given_unit or None, censored=parameter.censored_allowed, choices=parameter.options,
        decimals=parameter.decimals, decimal_sign=work.lot.site.decimal_sign, zone=work.zone,
    )  # fmt: skip


def _check_ordered_cohort(work: Work, parameter: Parameter, quantity: Quantity) -> None:
    # The dose is computed from the ordered cohort: another one typed here would be a wrong dose.
    if parameter.key == work.recipe.dose.cohort_parameter and work.lot.cohort and quantity.content != work.lot.cohort:
        raise ValueRefused("not_as_ordered", f"Lot {work.lot.number} is ordered for {work.lot.cohort}, not {quantity.content}. Compare with the order.")


@service(Event.READING_CONFIRMED)
def confirm_reading(*, by: Actor, reading_id, step_run_id, parameter: str, saw=None) -> Entry | EntryAttempt:
    """A named person confirms that an equipment reading is the value of a step; it is judged like a typed value (EXE-08).

    Returns an EntryAttempt where the equipment's own clock says a time that cannot be, or the value is not plausible.
    """
    work = work_on(step_run_id)
    rules.check_can_work_on_step(by=by, work=work)
    wanted = parameter_of(work, parameter)
    reading = Reading.objects.one(pk=reading_id)
    used = Entry.objects.filter(reading=reading).exists()
    rules.check_can_confirm_reading(by=by, work=work, reading=reading, parameter=wanted, used=used)
    current = queries.current_entry(work.run.pk, wanted.key)
    as_typed = wanted.model_copy(update={"source": "either"})
    rules.check_can_record_value(by=by, work=work, parameter=as_typed, current=current, saw=saw, late=False, reason="")
    book = Book.of(by, work)
    decimals = max(0, -int(reading.value.as_tuple().exponent))
    quantity = Quantity(reading.value_text.strip(), reading.value, "", decimals, None, wanted.unit or "")
    try:
        rules.check_moment_of_reading(work, wanted, reading.device_time, deed_now().at)
    except ValueRefused as refused:
        attempt = book.attempt(work.run, wanted.key, reading.value_text, refused.code, refused.sentence)
        book.post()
        return attempt
    late = rules.check_claimed(reading.device_time, deed_now().at, work)
    given = Given("equipment", reading=reading, claimed_at=reading.device_time, late=late, confirmed_by=User.objects.get(pk=by.user_id))
    result = book.enter(work.run, wanted, quantity, given)
    book.settle()
    return result


@service(Event.VALUE_CORRECTED)
def correct_value(*, by: Actor, entry_id, text: str, reason: str, proof: Proof) -> Entry | EntryAttempt:
    """Correct a wrongly written value: a new entry with the reason, signed by a second person who compared it with its source.

    The old entry stays, named by the new one. A repeated measurement is no correction (decision 6). Values calculated from it are computed
    anew; signatures of a step that was signed show at once that they no longer cover it. 21 CFR 11.10(e), Annex 11 (2011) 9.
    """
    work = work_on(Entry.objects.one(pk=entry_id).step_run_id)
    entry = Entry.objects.select_related("by", "superseded_by", "excursion").one(pk=entry_id)
    parameter = parameter_of(work, entry.parameter)
    rules.check_can_correct_value(by=by, work=work, entry=entry, parameter=parameter, reason=reason, signer=proof.user)
    book = Book.of(by, work)
    try:
        quantity = read_typed(work, parameter, text)
        _check_ordered_cohort(work, parameter, quantity)
        rules.check_moment(work, book.ledger, parameter, quantity, deed_now().at)
    except ValueRefused as refused:
        attempt = book.attempt(work.run, parameter.key, text, refused.code, refused.sentence)
        book.post()
        return attempt
    if quantity.text == entry.value_text:
        raise UnreadableInput("same_value", f"{parameter.name} is recorded as {entry} already. Type what it should be.", field="value")
    signatures.sign(
        by=by, proof=proof, what=correction_subject(entry, work.run, text, reason), meaning="confirmed_transcription", stream=work.run.stream,
        lot_id=work.lot.pk, permission=Permission.SIGN_AS_SECOND_PERSON,
    )  # fmt: skip
    given = Given(
        "typed", claimed_at=entry.claimed_at, late=entry.late, supersedes=entry, reason=reason.strip(), confirmed_by=proof.user,
    )  # fmt: skip
    result = book.enter(work.run, parameter, quantity, given)
    if isinstance(result, Entry):
        _answer_excursion(by, entry, reason)
    book.settle()
    return result


def _answer_excursion(by: Actor, entry: Entry, reason: str) -> None:
    excursion = getattr(entry, "excursion", None)
    if excursion is not None:
        ExcursionChoice(
            site_id=by.site_id, by_id=by.user_id, lot_id=entry.lot_id, excursion=excursion, choice="correct", reason=reason.strip()
        ).save()


__all__ = ["Typed", "confirm_reading", "correct_value", "parameter_of", "read_typed", "record_value", "record_values"]
