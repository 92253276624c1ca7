"""What a reviewer must look at, fact by fact: each finder reads one kind of fact of a lot and says it in one line.

A finding names the rows it stands on. The audit entries that cite those rows are the significant ones; what no finder claims but the rule
table calls significant becomes a finding of its own (quality/review/queries), so that nothing significant is ever without a line.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from batches.custody.models import Label
from batches.dossier.queries import SignatureCheck, TrailEntry
from batches.execution.models import Entry, EntryAttempt, Excursion, ScanEvent, StepRun
from batches.lots import queries as lot_queries
from batches.lots.models import Donation, Hold, Lot
from batches.materials.models import Consumption
from batches.recipes.document.schema import Recipe
from batches.recipes.quantities import format_decimal
from batches.recipes.units import UnitRefused, convert
from mes.acts import deed_words
from mes.checkpoints.queries import not_held
from mes.clock import day_words, moment_words, typed_words
from mes.records import guard_words
from mes.records.models import SecurityEvent
from quality.alerts.models import Alert
from quality.deviations.models import Deviation
from quality.review.kinds import is_quiet
from quality.samples import queries as samples
from quality.samples.judging import FAILING
from quality.samples.models import Result
from quality.specifications import queries as specifications


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to decide about. `rows` are (table, id) of the facts it stands on; `facts` are label and text, shown beside."""

    key: str
    kind: str
    risk: str
    title: str
    at: dt.datetime
    who: str
    run_id: uuid.UUID | None
    rows: tuple[tuple[str, uuid.UUID], ...]
    old: str = ""
    new: str = ""
    reason: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    deviation: Deviation | None = None
    entry_id: uuid.UUID | None = None
    """The entry of a value, where the finding is about one: its limits and neighbours are shown."""


@dataclass
class Ground:
    """What the finders read from: the lot with its recipe, the deviations by what they answer, the check of the signatures, the trail."""

    lot: Lot
    recipe: Recipe
    runs: dict[uuid.UUID, StepRun]
    signatures: SignatureCheck
    by_excursion: dict[uuid.UUID, Deviation] = field(default_factory=dict)
    by_result: dict[uuid.UUID, Deviation] = field(default_factory=dict)
    by_hand: list[Deviation] = field(default_factory=list)
    entries: Sequence[TrailEntry] = ()

    @classmethod
    def of(cls, lot: Lot, recipe: Recipe, runs: Iterable[StepRun], signatures: SignatureCheck, entries: Sequence[TrailEntry] = ()) -> Ground:
        ground = cls(lot, recipe, {run.pk: run for run in runs}, signatures, entries=entries)
        for deviation in Deviation.objects.filter(lot=lot).order_by("recorded_at"):
            if deviation.excursion_id:
                ground.by_excursion[deviation.excursion_id] = deviation
            elif deviation.result_id:
                ground.by_result[deviation.result_id] = deviation
            else:
                ground.by_hand.append(deviation)
        return ground

    def name(self, run_id, parameter: str) -> str:
        """The printed name of a parameter of a run's step."""
        run = self.runs.get(run_id)
        try:
            return self.recipe.step(run.step_key).parameter(parameter).name if run else parameter
        except KeyError:
            return parameter

    def value(self, entry: Entry) -> str:
        """A recorded value with its unit; a moment in the zone of the site."""
        return f"{typed_words(entry.value_text, self.lot.site.time_zone)} {entry.unit}".strip()


def excursions(ground: Ground) -> Iterator[Finding]:
    """Every passed limit, of a value, of time, of identity, with what people chose."""
    found = Excursion.objects.filter(lot=ground.lot).select_related("entry__superseded_by", "by").prefetch_related("choices__by")
    for each in found.order_by("recorded_at"):
        choices = sorted(each.choices.all(), key=lambda choice: choice.recorded_at)
        deviation = ground.by_excursion.get(each.pk)
        facts = [("Chosen", f"{choice.choice.replace('_', ' ')}: {choice.reason}".rstrip(": ") + f" ({choice.by.full_name})") for choice in choices]
        if each.reaction:
            facts.append(("The recipe asks", each.reaction))
        entry = each.entry
        risk = {"hard_limit": "critical", "identity": "critical"}.get(each.kind, "major" if each.limit_class in {"CPP", "CQA", "IPC"} else "minor")
        yield Finding(
            f"excursion:{each.pk}", "transport" if each.kind == "transport" else "limit",
            deviation.classification if deviation and deviation.classification in {"minor", "major", "critical"} else risk,
            each.sentence, each.recorded_at, each.by.full_name, each.step_run_id,
            (("batches_excursion", each.pk), *(("batches_excursionchoice", choice.pk) for choice in choices)),
            new=ground.value(entry) if entry else "", reason=choices[-1].reason if choices else "", facts=tuple(facts), deviation=deviation,
            entry_id=each.entry_id,
        )  # fmt: skip


def corrections(ground: Ground) -> Iterator[Finding]:
    """Every recorded value that a person changed, with the value it replaced."""
    found = Entry.objects.filter(lot=ground.lot, supersedes__isnull=False).exclude(source="calculated")
    for each in found.select_related("supersedes__by", "by", "confirmed_by").order_by("recorded_at"):
        facts = [("First recorded by", each.supersedes.by.full_name)]
        if each.confirmed_by_id:
            facts.append(("Compared with its source by", each.confirmed_by.full_name))
        yield Finding(
            f"correction:{each.pk}", "change", "minor",
            f"{ground.name(each.step_run_id, each.parameter)} changed, {ground.value(each.supersedes)} to {ground.value(each)}", each.recorded_at,
            each.by.full_name, each.step_run_id, (("batches_entry", each.pk),), ground.value(each.supersedes), ground.value(each), each.reason, tuple(facts),
            entry_id=each.pk,
        )  # fmt: skip


def flags(ground: Ground) -> Iterator[Finding]:
    """Values past an alert limit or outside the historical range, and values entered later than the step allows."""
    excursed = set(Excursion.objects.filter(lot=ground.lot, entry__isnull=False).values_list("entry_id", flat=True))
    for each in Entry.objects.filter(lot=ground.lot).select_related("by").order_by("recorded_at"):
        name = ground.name(each.step_run_id, each.parameter)
        if each.late:
            facts = (("Said to be done at", moment_words(each.claimed_at, ground.lot.site.time_zone) if each.claimed_at else "not said"),)
            yield Finding(
                f"late:{each.pk}", "late", "minor", f"{name} entered late", each.recorded_at, each.by.full_name, each.step_run_id,
                (("batches_entry", each.pk),), new=ground.value(each), reason=each.reason, facts=facts, entry_id=each.pk,
            )  # fmt: skip
        if each.level in {"alert", "historical"} and each.pk not in excursed:
            words = "past its alert level" if each.level == "alert" else "outside its usual range"
            yield Finding(
                f"alert:{each.pk}", "alert", "minor" if each.level == "alert" else "note", f"{name} {words}: {ground.value(each)}", each.recorded_at,
                each.by.full_name, each.step_run_id, (("batches_entry", each.pk),), new=ground.value(each), facts=(("Judgement", each.sentence),),
                entry_id=each.pk,
            )  # fmt: skip


def attempts(ground: Ground) -> Iterator[Finding]:
    """What was typed and is no value: text in a number, another unit, beyond what is plausible."""
    for each in EntryAttempt.objects.filter(lot=ground.lot).select_related("by").order_by("recorded_at"):
        yield Finding(
            f"attempt:{each.pk}", "attempt", "note", f"{ground.name(each.step_run_id, each.parameter)}: {each.text!r} was typed and not taken",
            each.recorded_at, each.by.full_name, each.step_run_id, (("batches_entryattempt", each.pk),), new=each.text, facts=(("Answer", each.sentence),),
        )  # fmt: skip


def scans(ground: Ground) -> Iterator[Finding]:
    """Wrong scans, and identifiers that were typed because a label could not be read."""
    found = ScanEvent.objects.filter(lot=ground.lot).select_related("by", "with_person").order_by("recorded_at")
    for each in found:
        rows = (("batches_scanevent", each.pk),)
        if not each.matched:
            said = getattr(each, "sentence", "") or f"{each.text!r} is not what the step needs."
            what = {"open": "container", "badge": "badge"}.get(each.purpose, each.purpose.replace("_", " "))
            yield Finding(
                f"wrong_scan:{each.pk}", "identity", "major" if each.purpose in {"open", "container"} else "minor", f"Wrong {what} scanned", each.recorded_at,
                each.by.full_name, each.step_run_id, rows, new=each.text, facts=(("What the station said", said),),
            )  # fmt: skip
        elif each.typed:
            beside = f", with {each.with_person.full_name}" if each.with_person_id else ""
            what = "Identifier" if each.purpose == "open" else f"Code of {each.purpose}"
            yield Finding(
                f"typed_scan:{each.pk}", "identity", "minor", f"{what} typed, not scanned{beside}", each.recorded_at, each.by.full_name, each.step_run_id,
                rows, new=each.text,
            )  # fmt: skip


def typed_identities(ground: Ground) -> Iterator[Finding]:
    """Identifiers typed at the collection, the receipt, a hand-over or the infusion (decision 10)."""
    for each in lot_queries.typed_identities(ground.lot):
        yield Finding(
            f"typed_identity:{each.pk}", "identity", "minor", f"Identifier typed, not scanned, with {each.full_name}", each.recorded_at, each.by.full_name,
            None, (("mes_signature", each.pk),),
        )  # fmt: skip


ANOTHER_PATIENT = {"wrong_patient", "container_of_another_lot", "wrong_lot"}


def refused_scans(ground: Ground) -> Iterator[Finding]:
    """Scans refused where no step was open: labels, hand-overs, dispatch and, above all, at the bedside. COI-03, COI-05."""
    for each in SecurityEvent.objects.filter(kind="wrong_scan", subject=str(ground.lot.pk)).select_related("by").order_by("recorded_at"):
        critical = each.code in ANOTHER_PATIENT
        yield Finding(
            f"refused_scan:{each.pk}", "identity", "critical" if critical else "major",
            "The identity of patient or product did not agree" if critical else "Wrong code scanned", each.recorded_at, each.by.full_name, None,
            (("mes_securityevent", each.pk),), facts=(("What the page said", each.sentence), ("Tried", deed_words(each.attempted))),
        )  # fmt: skip


def materials(ground: Ground) -> Iterator[Finding]:
    """Recorded uses of material that were changed."""
    found = Consumption.objects.filter(lot=ground.lot, supersedes__isnull=False).select_related("supersedes", "by")
    for each in found.order_by("recorded_at"):
        old, new = f"{each.supersedes.quantity_text} {each.unit}", f"{each.quantity_text} {each.unit}"
        yield Finding(
            f"material:{each.pk}", "change", "minor", f"Use of {each.line.replace('_', ' ')} changed, {old} to {new}", each.recorded_at, each.by.full_name,
            each.step_run_id, (("batches_consumption", each.pk),), old, new, each.reason,
        )  # fmt: skip


def labels(ground: Ground) -> Iterator[Finding]:
    """Labels that were printed again."""
    for each in Label.objects.filter(lot=ground.lot, serial__gt=1).select_related("container").defer("specimen").order_by("recorded_at"):
        yield Finding(
            f"reprint:{each.pk}", "label", "minor", f"Label of {each.container.title} printed again (number {each.serial})", each.recorded_at, "", None,
            (("batches_label", each.pk),), reason=each.reprint_reason,
        )  # fmt: skip


def holds(ground: Ground) -> Iterator[Finding]:
    """Holds, placed and ended."""
    for each in Hold.objects.filter(lot=ground.lot).select_related("placed_by", "ended_by").order_by("recorded_at"):
        facts = (("Ended by", f"{each.ended_by.full_name}: {each.ended_reason}"),) if each.ended_by_id else (("Ended", "not yet"),)
        yield Finding(
            f"hold:{each.pk}", "hold", "major", f"On hold: {each.reason}", each.recorded_at, each.placed_by.full_name, None, (("batches_hold", each.pk),),
            reason=each.reason, facts=facts,
        )  # fmt: skip


def donations(ground: Ground) -> Iterator[Finding]:
    """Starting material that QA rejected."""
    for each in Donation.objects.filter(lot_donations__lot=ground.lot, state="rejected"):
        yield Finding(
            f"donation:{each.pk}", "identity", "major", f"Donation {each.din} was rejected", each.recorded_at, "", None, (), reason=each.decision_reason
        )


def results(ground: Ground) -> Iterator[Finding]:
    """Results outside their specification, results not tested, and results that were corrected."""
    found = Result.objects.filter(lot=ground.lot).select_related("by", "supersedes", "specification_version").order_by("recorded_at")
    for each in found:
        rows = (("quality_result", each.pk),)
        value = f"{each.value_text} {each.unit}".strip()
        deviation = ground.by_result.get(each.pk)
        if each.verdict in FAILING:
            yield Finding(
                f"result:{each.pk}", "result", deviation.classification if deviation and deviation.classification != "unclassified" else "major",
                each.sentence or f"{samples.name_of(each)}: {value} does not meet {each.rule}", each.recorded_at, each.by.full_name, None, rows, new=value,
                facts=(("Specification", each.rule),), deviation=deviation,
            )  # fmt: skip
        elif each.verdict == "not_tested":
            yield Finding(
                f"not_tested:{each.pk}", "result", "minor", each.sentence or f"{samples.name_of(each)} was not tested", each.recorded_at, each.by.full_name,
                None, rows, reason=each.reason,
            )  # fmt: skip
        if each.supersedes_id:
            old = f"{each.supersedes.value_text} {each.supersedes.unit}".strip()
            what = f"Result of {samples.name_of(each)} changed, {old} to {value}"
            if old == value:  # the same value under a limit that a correction of the batch record moved
                what, old, value = f"Result of {samples.name_of(each)} judged anew", each.supersedes.sentence, each.sentence
            yield Finding(
                f"result_correction:{each.pk}", "change", "major", what, each.recorded_at,
                each.by.full_name, None, rows, old, value, each.reason,
            )  # fmt: skip


def early_finals(ground: Ground) -> Iterator[Finding]:
    """Final results that are in order and were read before the day on which the specification lets the test end.

    Growth on day 3 is final on day 3; "sterile" is not: the culture had not run its time. QC may enter it, quality decides (decision 0012).
    """
    document = specifications.document(specifications.of_lot(ground.lot))
    due_days = {each.code: each for each in document.criteria if each.due_days is not None}
    found = Result.objects.filter(lot=ground.lot, kind="final", superseded_by=None, criterion__in=due_days).select_related("by", "sample")
    zone = ZoneInfo(ground.lot.site.time_zone)
    for each in found.order_by("recorded_at"):
        due = samples.due_of(due_days[each.criterion], each.sample)
        if due is None or each.tested_at is None or each.verdict in {*FAILING, "not_tested"}:
            continue
        if each.tested_at.astimezone(zone).date() < due.astimezone(zone).date():
            yield Finding(
                f"early:{each.pk}", "result", "major", f"{due_days[each.criterion].name}: final result given before its due day", each.recorded_at,
                each.by.full_name, None, (("quality_result", each.pk),), new=f"{each.value_text} {each.unit}".strip(),
                facts=(("Tested at", moment_words(each.tested_at, zone)), ("Due", day_words(due, zone))),
            )  # fmt: skip


def dose(ground: Ground) -> Iterator[Finding]:
    """A total dose outside the tolerance of the ordered one, where no criterion of the specification judged the dose already."""
    dose, named = ground.recipe.dose, ground.recipe.certificate
    if dose.tolerance_pct is None or _dose_is_judged(ground):
        return
    wanted = [named.total_car_cells, *([dose.weight_parameter] if dose.kind == "per_kg" and dose.weight_parameter else [])]
    current = {
        each.parameter: each
        for each in Entry.objects.filter(lot=ground.lot, parameter__in=wanted, superseded_by=None).select_related("by").order_by("recorded_at")
        if each.value is not None
    }
    total = current.get(named.total_car_cells)
    if total is None or len(current) < len(wanted):
        return  # a certificate without its dose is stopped by what is missing
    target, unit = dose.target(ground.lot.cohort or None), dose.unit
    try:
        if dose.kind == "per_kg":
            weight = current[dose.weight_parameter]
            target, unit = target * convert(weight.value, weight.unit, "kg"), unit.removesuffix("/kg")
        given = convert(total.value, total.unit, unit)
    except UnitRefused as refused:
        words = f"{ground.name(total.step_run_id, total.parameter)} could not be compared with the ordered dose: {refused.sentence}"
    else:
        if abs(given - target) * 100 <= target * dose.tolerance_pct:
            return
        words = (
            f"{ground.name(total.step_run_id, total.parameter)} is not the ordered dose: {ground.value(total)}; ordered "
            f"{format_decimal(target.normalize())} {unit} within {dose.tolerance_pct.normalize():f} %"
        )
    yield Finding(
        f"dose:{total.pk}", "limit", "major", words, total.recorded_at, total.by.full_name, total.step_run_id, (("batches_entry", total.pk),),
        new=ground.value(total), facts=(("Dose", dose.basis),), entry_id=total.pk,
    )  # fmt: skip


def _dose_is_judged(ground: Ground) -> bool:
    """Whether a result that counts was judged against the dose: a criterion on a dose of the certificate, or with the ordered dose as its target."""
    named = ground.recipe.certificate
    doses = {each for each in (named.total_car_cells, named.dose_per_kg, named.dose_per_bag) if each}
    document = specifications.document(specifications.of_lot(ground.lot))
    codes = [each.code for each in document.criteria if each.recipe_parameter in doses or (each.target and "dose_target" in each.target.expression)]
    counting = Result.objects.filter(lot=ground.lot, criterion__in=codes, kind="final", superseded_by=None)
    return counting.filter(verdict__in=["meets", "above", "below", "does_not_meet"]).exists()


def deviations(ground: Ground) -> Iterator[Finding]:
    """Deviations that people opened by hand."""
    for each in ground.by_hand:
        yield Finding(
            f"deviation:{each.pk}", "deviation", each.classification if each.classification != "unclassified" else "major", each.title, each.recorded_at, "",
            None, (("quality_deviation", each.pk),), facts=(("Description", each.description),), deviation=each,
        )  # fmt: skip


def signatures(ground: Ground) -> Iterator[Finding]:
    """Signatures whose content changed after they were made (SIG-06)."""
    for each in ground.signatures.broken:
        made = each.signature
        yield Finding(
            f"signature:{made.pk}", "signature", "critical", f"The signature of {made.full_name} on step {each.run.key} no longer covers what stands there",
            made.recorded_at, made.full_name, each.run.pk, (("mes_signature", made.pk),), facts=(("Meaning", made.meaning_text),),
        )  # fmt: skip


def alarms(ground: Ground) -> Iterator[Finding]:
    """Alarms that nobody acknowledged."""
    for each in Alert.objects.filter(lot=ground.lot, severity="alarm", state="raised").order_by("recorded_at"):
        yield Finding(
            f"alarm:{each.pk}", "alarm", "major", f"Nobody acknowledged the alarm: {each.title}", each.recorded_at, "", None, (("quality_alert", each.pk),)
        )


def unguarded(ground: Ground) -> Iterator[Finding]:
    """Work that went on while the audit trail or a guard of the database did not hold (decisions 8): from the last check that found it in order.

    The key names the last entry: another one, and the reviewer decides anew. What quality itself did about the lot does not count.
    """
    loud = [entry for entry in ground.entries if not is_quiet(entry.events)]
    zone = ground.lot.site.time_zone
    for time in not_held(ground.lot.site_id) if loud else ():
        during = [entry for entry in loud if time.covers(entry.at)]
        if not during:
            continue
        first, last = during[0], during[-1]
        facts = (
            ("Held before", moment_words(time.since, zone) if time.since else "never checked"),
            ("Held again", moment_words(time.until, zone) if time.until else "not yet"),
            ("Found", guard_words.said(time.found).words),
        )
        many = f"{len(during):,} entries were" if len(during) > 1 else "1 entry was"
        which = f"{first.seq} to {last.seq}" if last.seq > first.seq else str(first.seq)
        yield Finding(
            f"unguarded:{time.key}:{last.seq}", "trail", "major", f"{many} made while the audit trail or a guard of the database did not hold: {which}",
            first.at, "", None, (), facts=facts,
        )  # fmt: skip


FINDERS: tuple[Callable[[Ground], Iterator[Finding]], ...] = (
    excursions, corrections, flags, attempts, scans, typed_identities, refused_scans, materials, labels, holds, donations, results, early_finals, dose,
    deviations, signatures, alarms, unguarded,
)  # fmt: skip


def find(ground: Ground) -> list[Finding]:
    """Every finding of the lot, oldest first."""
    return sorted((each for finder in FINDERS for each in finder(ground)), key=lambda each: (each.at, each.key))
