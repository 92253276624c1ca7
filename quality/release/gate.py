"""The gate of the release: every condition, each with its result and what is behind it. REL-01, REL-03, REL-07; EU GMP Part IV 11.

A line is a function of what was read once; adding a condition is adding a function. A line that is not ok and blocks keeps the lot from
being certified; a line that is pending tells what stage 1 leaves open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from batches.custody import queries as custody
from batches.dossier import queries as dossier
from batches.equipment.models import EquipmentUse
from batches.execution.models import ScanEvent, StepRun
from batches.lots.models import Container, Hold, Lot
from batches.lots.queries import typed_identities
from batches.materials.models import MaterialLot
from batches.materials.queries import uses_in
from batches.recipes.document.schema import Recipe
from mes.clock import day_words, moment_words
from mes.errors import Missing
from mes.records import guard_words
from quality.alerts.models import Alert
from quality.deviations.models import Deviation
from quality.release import integrity as integrities
from quality.release.expiry import expiry_of
from quality.review.queries import Picture, picture
from quality.review.rules import SIGNABLE
from quality.samples import queries as samples
from quality.samples.queries import CriterionLine

STAGES = ("stage_1", "final")


@dataclass(frozen=True, slots=True)
class GateLine:
    """One condition: stable code, what it says, whether it holds, what is behind it, whether it blocks, whether it only waits."""

    code: str
    text: str
    ok: bool
    detail: str = ""
    blocking: bool = True
    pending: bool = False
    url: str = ""
    assessed: bool = False
    """It does not hold by itself: two persons of quality signed why the lot can be released all the same."""

    @property
    def state(self) -> str:
        """The word of the look: done, pending, alarm (blocks) or warn."""
        if self.ok:
            return "warn" if self.assessed else "pending" if self.pending else "done"
        return "alarm" if self.blocking else "warn"

    def plain(self) -> dict:
        """The line as it is signed and stored."""
        return {
            "code": self.code,
            "text": self.text,
            "result": "assessed" if self.assessed else "pending" if self.ok and self.pending else "holds" if self.ok else "does not hold",
            "detail": self.detail,
        }


@dataclass
class Ground:
    """What the lines are made from, read once."""

    lot: Lot
    stage: str
    now: dt.datetime
    shown: Picture
    runs: list[StepRun]
    results: list[CriterionLine]
    deviations: list[Deviation] = field(default_factory=list)
    lines: list[GateLine] | None = None

    @property
    def recipe(self) -> Recipe:
        return self.shown.recipe

    @property
    def is_final(self) -> bool:
        return self.stage == "final"


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def some(names: list[str], most: int = 3) -> str:
    """The first names and how many more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def lot_state(g: Ground) -> Iterator[GateLine]:
    allowed = {"stage_1": {"in_review"}, "final": {"in_review", "certified_stage_1"}}[g.stage]
    words = g.lot.state.replace("_", " ")
    yield GateLine("state", "The lot is where this decision is made", g.lot.state in allowed, f"It is {words}." if g.lot.state not in allowed else words)


def steps(g: Ground) -> Iterator[GateLine]:
    open_ones = [run.key for run in g.runs if run.state not in {"complete", "not_done"}]
    left_out = sum(run.state == "not_done" for run in g.runs)
    done = len(g.runs) - len(open_ones)
    detail = f"Open: {some(open_ones)}." if open_ones else f"{left_out} left out by a signed decision" if left_out else ""
    yield GateLine("steps", f"{done} of {len(g.runs)} steps before release are complete", not open_ones and bool(g.runs), detail)


def signatures(g: Ground) -> Iterator[GateLine]:
    check = g.shown.signatures
    detail = ""
    if check.broken:
        detail = f"No longer cover their content: {some([each.run.key for each in check.broken])}."
    elif check.missing:
        detail = f"Missing: {some(list(check.missing))}."
    sound = len(check.signatures) - len(check.broken)
    yield GateLine("signatures", f"{sound} of {count(len(check.signatures), 'signature')} cover what stands there", check.is_sound, detail)


def review(g: Ground) -> Iterator[GateLine]:
    shown = g.shown
    decided = len(shown.lines) - len(shown.to_decide)
    waiting = some([str(line.number) for line in shown.to_decide], 6)
    yield GateLine(
        "exceptions",
        f"{decided} of {count(len(shown.lines), 'exception')} decided",
        not shown.to_decide,
        f"Open: number{'s' if len(shown.to_decide) > 1 else ''} {waiting}" if shown.to_decide else shown.sum_words,
    )
    made = shown.review
    if shown.is_current:
        detail = f"{made.reviewed_by.full_name}, rules {made.rules_version}"
    elif made is None or made.reviewed_by_id is None:
        detail = "Not signed yet."
    else:
        again = " It has to be signed again." if g.lot.state in SIGNABLE else ""
        detail = f"{count(len(shown.newer), 'entry', 'entries')} came after it.{again}" if shown.newer else f"Open again.{again}"
    yield GateLine("review", "The record and its audit trail are reviewed", shown.is_current, detail)


def deviations(g: Ground) -> Iterator[GateLine]:
    undecided = [d.number for d in g.deviations if d.state in {"open", "classified"} or not d.impact]
    critical = [d.number for d in g.deviations if d.classification == "critical" and d.state != "closed"]
    refused = [d.number for d in g.deviations if d.impact == "not_acceptable"]
    still_open = sum(d.state != "closed" for d in g.deviations)
    detail = ""
    if refused:
        detail = f"Impact not acceptable: {some(refused)}."
    elif undecided:
        detail = f"Impact not assessed: {some(undecided)}."
    elif critical:
        detail = f"Critical and not closed: {some(critical)}."
    elif g.deviations:
        detail = f"{still_open} still open for root cause" if still_open else "all closed"
    else:
        detail = "none"
    assessed = len(g.deviations) - len(undecided)
    ok = not (undecided or critical or refused)
    yield GateLine("deviations", f"{assessed} of {count(len(g.deviations), 'deviation')} assessed for this lot", ok, detail)


def results(g: Ground) -> Iterator[GateLine]:
    names = {line: line.criterion.name for line in g.results}
    due_now = [line for line in g.results if g.is_final or not line.is_after_release]
    failed = [names[line] for line in g.results if line.standing == "failed"]
    missing = [names[line] for line in due_now if line.standing in {"missing", "not_judged", "pending_after_release"}]
    good = [line for line in due_now if line.standing in {"met", "reported"}]
    which = "required results" if g.is_final else "results needed before infusion"
    yield GateLine(
        "results_in", f"{len(due_now) - len(missing)} of {len(due_now)} {which} are in", not missing, f"Missing: {some(missing)}." if missing else ""
    )
    yield GateLine(
        "results_meet", f"{len(good)} of {len(due_now)} meet the specification", not failed and len(good) == len(due_now),
        f"Does not meet: {some(failed)}." if failed else "" if len(good) == len(due_now) else "Some are not in yet.",
    )  # fmt: skip
    moved = [line.outdated for line in g.results if line.outdated]
    yield GateLine("verdicts", "Every verdict stands on the values that count now", not moved, moved[0] if moved else "")
    unreviewed = [names[line] for line in g.results if line.result is not None and not line.reviewed]
    # A dated reading that stage 1 relies on is a result like any other.
    unreviewed += [f"{names[line]}, interim" for line in g.results if line.result is None and any(not hasattr(each, "review") for each in line.interims)]
    yield GateLine(
        "results_reviewed", "Every result is reviewed by a second person", not unreviewed, f"Not reviewed: {some(unreviewed)}." if unreviewed else ""
    )
    if not g.is_final:
        yield from _pending(g)


def _pending(g: Ground) -> Iterator[GateLine]:
    for line in g.results:
        if not line.is_pending_after_release or line.standing == "met":
            continue
        interim = samples.interim_text(line.interim)
        wanted = line.criterion.interim is not None and line.criterion.interim.required
        due = f"due {day_words(line.due, g.lot.site.time_zone)}" if line.due else "due date follows from its sample"
        lacks_due = line.due is None and line.criterion.due_days is not None
        ok = line.standing == "pending_after_release" and not lacks_due
        detail = f"{interim}, {due}" if interim else "An interim reading is required and not there yet." if wanted else due
        yield GateLine(f"pending_{line.criterion.code}", f"{line.criterion.name} is pending", ok, detail, pending=True)


def illustrative(g: Ground) -> Iterator[GateLine]:
    counted = [(line.criterion.name, line.result or line.interim) for line in g.results]
    made_up = [name for name, result in counted if result is not None and result.evidence == "illustrative"]
    if made_up or not g.lot.demo:
        yield GateLine(
            "evidence", "Every result was measured" if not g.lot.demo else "Made-up results are marked", g.lot.demo or not made_up,
            f"{count(len(made_up), 'result')} illustrative, not published: {some(made_up)}." if made_up else "",
        )  # fmt: skip


def labels(g: Ground) -> Iterator[GateLine]:
    counted = custody.reconciliation(g.lot)
    bags = Container.objects.filter(lot=g.lot, kind="final_bag").exclude(state="discarded")
    bare = [each.title for each in bags.exclude(labels__state="used")]
    detail = f"{counted.used} used, {counted.destroyed} destroyed" + (f", {counted.open} not accounted for" if counted.open else "")
    yield GateLine("labels", f"{count(counted.printed, 'label')} printed and accounted for", counted.agrees, detail)
    ok = bool(bags) and not bare
    yield GateLine(
        "bags",
        f"{len(bags) - len(bare)} of {count(len(bags), 'final container')} labelled",
        ok,
        f"Without a used label: {some(bare)}." if bare else "" if ok else "No final container is there.",
    )


def materials(g: Ground) -> Iterator[GateLine]:
    found = uses_in(g.lot)
    released = _released_at({each.line.material_lot_id for each in found})
    unfit = []
    for each in found:
        lot = each.line.material_lot
        since = released.get(lot.pk)
        if since is None or since > each.since:
            unfit.append(f"{lot.material.name} {lot.number} was not released when used")
        elif lot.expires_at <= each.since:
            unfit.append(f"{lot.material.name} {lot.number} had expired when used")
        elif lot.state in {"blocked", "rejected"}:
            unfit.append(f"{lot.material.name} {lot.number} was {lot.state} since")
    yield GateLine("materials", f"{count(len(found), 'use')} of material, released and in date", not unfit, some(unfit, 2))


def _released_at(lots: set) -> dict:
    """When each material lot was released first."""
    history = MaterialLot.history.model.objects.filter(id__in=lots, state="released").order_by("version")
    found: dict = {}
    for lot_id, at in history.values_list("id", "history_date"):
        found.setdefault(lot_id, at)
    return found


def equipment(g: Ground) -> Iterator[GateLine]:
    used = list(EquipmentUse.objects.filter(lot=g.lot).select_related("equipment"))
    late = [each.equipment.code for each in used if each.calibrated_until <= each.recorded_at]
    yield GateLine("equipment", f"{count(len(used), 'use')} of equipment within calibration", not late, f"Out of calibration: {some(late)}." if late else "")


def identity(g: Ground) -> Iterator[GateLine]:
    touching = [run for run in g.runs if run.state == "complete" and g.recipe.step(run.step_key).touches_material]
    opened = ScanEvent.objects.filter(lot=g.lot, purpose="open", matched=True)
    done = set(opened.values_list("step_run_id", flat=True))
    typed = opened.filter(typed=True).count()
    missing = [run.key for run in touching if run.pk not in done]
    typed += len(typed_identities(g.lot))
    detail = f"No scan at {some(missing)}." if missing else f"{typed} typed with a second person" if typed else "all scanned"
    yield GateLine("identity", f"Identity proved at {len(touching) - len(missing)} of {count(len(touching), 'step')} that touch material", not missing, detail)


def holds(g: Ground) -> Iterator[GateLine]:
    hold = Hold.objects.filter(lot=g.lot, state="open").select_related("placed_by").first()
    yield GateLine("holds", "No hold on the lot", hold is None, f"{hold.placed_by.full_name}: {hold.reason}" if hold else "")


def alarms(g: Ground) -> Iterator[GateLine]:
    raised = Alert.objects.filter(lot=g.lot, severity="alarm", state="raised").count()
    yield GateLine("alarms", "Every alarm is acknowledged", not raised, f"{raised} not acknowledged" if raised else "", blocking=False)


def expiry(g: Ground) -> Iterator[GateLine]:
    if g.lot.state == "certified_stage_1":
        return  # supplied already; what became of it is recorded with its use
    ends = expiry_of(g.lot)
    yield GateLine(
        "expiry", "The lot is within its shelf life", ends is not None and ends > g.now,
        "No expiry is recorded." if ends is None else f"until {moment_words(ends, g.lot.site.time_zone)}",
    )  # fmt: skip


def integrity(g: Ground) -> Iterator[GateLine]:
    """The lot's trail and the database's guards; both stand on one assessment, since it covers everything that was found (decisions 8)."""
    trail, gone = integrities.trail_findings(g.lot), integrities.guard_findings()
    assessed = integrities.standing(g.lot, trail + gone)
    for code, text, found in (
        ("chain", f"The audit trail is whole: {count(g.shown.total, 'entry', 'entries')}", trail),
        ("guards", "The database's guards stand", gone),
    ):
        words = some([guard_words.said(each).words.rstrip(".") for each in found], 2)
        told = f"{words}. {integrities.words_of(assessed)}" if found and assessed else words
        yield GateLine(code, text, not found or assessed is not None, told, assessed=bool(found and assessed))


LINES: tuple[Callable[[Ground], Iterator[GateLine]], ...] = (
    lot_state, steps, signatures, review, deviations, results, illustrative, labels, materials, equipment, identity, holds, alarms, expiry, integrity,
)  # fmt: skip


def ground_of(lot: Lot, stage: str, now: dt.datetime, upto: int | None = None) -> Ground:
    """Read what the gate is made from, with the trail up to a sequence number. Raises Missing for an unknown stage."""
    if stage not in STAGES:
        raise Missing("unknown_stage", "A lot is certified in stage_1 or final.", field="stage")
    return Ground(
        lot, stage, now, picture(lot, upto), dossier.before_release(lot), samples.table(lot), list(Deviation.objects.filter(lot=lot).order_by("recorded_at"))
    )


def lines_of(ground: Ground) -> list[GateLine]:
    """The lines of what was read, made once: one of them walks the whole trail."""
    if ground.lines is None:
        ground.lines = [line for each in LINES for line in each(ground)]
    return ground.lines


def gate(lot: Lot, stage: str, now: dt.datetime) -> list[GateLine]:
    """Every condition for certifying the lot in this stage ("stage_1" or "final") at `now` (record time), from its first day on."""
    return lines_of(ground_of(lot, stage, now))


def blocking(lines: list[GateLine]) -> list[GateLine]:
    """The lines that keep the lot from being certified."""
    return [line for line in lines if line.blocking and not line.ok]
