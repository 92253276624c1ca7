"""The one way in which a value becomes part of the record: typed, read by equipment or calculated, judged alike.

Called inside a deed by the services beside it. An entry, its excursion, the stop of a hard limit, the values calculated from it and the
time limits it ends are written in one transaction (decisions 6, 13). 21 CFR 211.68, 211.188, 211.192.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from batches.custody.models import HandOver
from batches.custody.temperatures import limits_on
from batches.custody.wording import HAND_OVERS
from batches.events import Event
from batches.execution.judgement import Judgement, judge
from batches.execution.models import Entry, EntryAttempt, Excursion, StepRun
from batches.execution.queries.runs import recipe_of
from batches.execution.queries.times import events_of, time_limits
from batches.execution.queries.values import Ledger, expression
from batches.execution.work import Work
from batches.recipes.document.plain import plain
from batches.recipes.document.schema import Parameter, Recipe
from batches.recipes.expressions import ExpressionRefused, calculation_order
from batches.recipes.quantities import Quantity, format_decimal
from mes.records.actors import Actor
from mes.records.door import deed_now

SHOWN_DIGITS = 6
"""Significant digits in which a calculated value without decimals of its own is shown; it is kept and judged with all."""


@dataclass(frozen=True)
class Given:
    """How a value came: source, author's claims, what it replaces."""

    source: str = "typed"
    reading: object = None
    trace: str = ""
    claimed_at: object = None
    late: bool = False
    supersedes: Entry | None = None
    reason: str = ""
    confirmed_by: object = None


@dataclass
class Book:
    """The lot's values while a deed writes to them."""

    by: Actor
    ledger: Ledger
    written: list[Entry] = field(default_factory=list)
    _entries: list[Entry] = field(default_factory=list)
    _excursions: list[Excursion] = field(default_factory=list)
    _attempts: list[EntryAttempt] = field(default_factory=list)

    @classmethod
    def of(cls, by: Actor, work: Work) -> Book:
        ledger = Ledger(work.lot, work.recipe, work.zone)
        # One object per row: the locked run of the deed takes the place of the one just read.
        ledger.take(work.run)
        return cls(by, ledger)

    @property
    def recipe(self) -> Recipe:
        return self.ledger.recipe

    # --- one value ----------------------------------------------------------------------------------------------------

    def attempt(self, run: StepRun, parameter: str, text: str, code: str, sentence: str) -> EntryAttempt:
        """Keep what is no value, as it was typed; the step stays unfilled (decision 13). What the database cannot hold is shown as U+FFFD."""
        text = "".join("\ufffd" if letter == "\x00" or "\ud800" <= letter <= "\udfff" else letter for letter in text[:4000])
        kept = EntryAttempt(
            site_id=self.by.site_id, by_id=self.by.user_id, lot=self.ledger.lot, step_run=run, parameter=parameter, text=text, code=code,
            sentence=sentence,
        )  # fmt: skip
        self._attempts.append(kept)
        return kept

    def enter(self, run: StepRun, parameter: Parameter, quantity: Quantity, given: Given) -> Entry | EntryAttempt:
        """Judge and write one value; an implausible one is kept as an attempt."""
        judgement = judge(quantity, parameter.limits, accept=parameter.accept, outside=parameter.outside)
        if judgement.is_refused and given.source != "calculated":
            return self.attempt(run, parameter.key, quantity.text, "implausible", judgement.sentence)
        return self.write(run, parameter, quantity, judgement, given)

    def write(self, run: StepRun, parameter: Parameter, quantity: Quantity, judgement: Judgement, given: Given) -> Entry:
        """Write an entry that was judged, with its excursion."""
        # A calculated value that cannot be true is a fact about its inputs: it is recorded and stops the step.
        level = "hard" if judgement.is_refused else judgement.level.value
        entry = Entry(
            site_id=self.by.site_id, by_id=self.by.user_id, lot=self.ledger.lot, step_run=run, parameter=parameter.key, value_text=quantity.text,
            value=quantity.value, qualifier=quantity.qualifier, unit=quantity.unit if parameter.is_numeric else "", decimals=quantity.decimals,
            level=level, sentence=judgement.sentence, limits=limits_as_text(parameter), source=given.source, reading=given.reading, trace=given.trace,
            claimed_at=given.claimed_at, late=given.late, supersedes=given.supersedes, reason=given.reason, confirmed_by=given.confirmed_by,
        )  # fmt: skip
        self._entries.append(entry)
        self.ledger.put(entry)
        self.written.append(entry)
        if level in ("hard", "action"):
            self._excursion(run, parameter, entry, stops=level == "hard")
        return entry

    def _excursion(self, run: StepRun, parameter: Parameter, entry: Entry, *, stops: bool) -> None:
        excursion = Excursion(
            site_id=self.by.site_id, by_id=self.by.user_id, lot=self.ledger.lot, step_run=run, entry=entry,
            kind="hard_limit" if stops else "limit", reference=str(entry.pk), limit_class=parameter.limit_class,
            sentence=passed_words(parameter, entry),
        )  # fmt: skip
        self._excursions.append(excursion)
        if stops and run.state == "open":
            run.state, run.state_reason = "stopped", excursion.sentence
            run.save()

    def post(self) -> None:
        """Write what was noted: one statement for each kind of row, however many values there are. Then tell of the excursions."""
        entries, excursions, attempts = self._entries, self._excursions, self._attempts
        self._entries, self._excursions, self._attempts = [], [], []
        EntryAttempt.objects.insert(attempts)
        Entry.objects.insert(entries)
        Excursion.objects.insert(excursions)
        for excursion in excursions:
            deed_now().tell(Event.EXCURSION_RAISED, excursion)

    # --- what follows from it -----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """After the last value of the deed: calculated values that depend on what was written, and time limits it ends."""
        changed = {entry.parameter for entry in self.written}
        if changed:
            self.recalculate(changed)
        self.post()
        moments = {f"{entry.step_run.step_key}.{entry.parameter}" for entry in self.written if entry.value is None}
        if moments:
            self.note_breaches(moments)

    def recalculate(self, changed: set[str], only: StepRun | None = None) -> None:
        """Compute anew what depends on the changed values, in order; a result that did not change writes nothing (EXE-07)."""
        changed = set(changed)
        for name in _order(self.recipe):
            step, parameter = _calculated(self.recipe)[name]
            formula = expression(parameter.expression or "")
            if only is None and not formula.names & changed:
                continue
            for run in self.ledger.by_step[step.key]:
                if run.state in ("waiting", "not_done") or (only is not None and run.pk != only.pk):
                    continue
                if self._calculate(run, parameter, formula):
                    changed.add(name)

    def _calculate(self, run: StepRun, parameter: Parameter, formula) -> bool:
        try:
            trace = formula.trace(self.ledger.values(run))
        except ExpressionRefused:
            return False  # the list of what is missing says why
        before = self.ledger.entry(run.pk, parameter.key)
        if before is not None and before.value == trace.result:
            return False
        full = Quantity(shown(trace.result, parameter.decimals), trace.result, "", parameter.decimals, None, parameter.unit or "")
        judgement = judge(full, parameter.limits)
        rounded = judge(Quantity(full.text, Decimal(full.text), unit=full.unit), parameter.limits)
        # The level is that of the unrounded value; the sentence may count in the digits that are shown when both agree.
        if rounded.level == judgement.level:
            judgement = rounded
        given = Given("calculated", trace=str(trace), supersedes=before, reason="Calculated anew" if before is not None else "")
        self.write(run, parameter, full, judgement, given)
        return True

    def note_breaches(self, events: set[str]) -> None:
        """Write the excursion of each time limit that one of these events ended too late (21 CFR 211.111)."""
        for found in time_limits(self.ledger.lot, deed_now().at, self.ledger):
            if found.is_broken and found.end is not None and events & set(events_of(found.limit)):
                raise_time_limit(self.by, found, self.ledger.lot)


def passed_words(parameter: Parameter, entry: Entry) -> str:
    """What passed its limit, with its value: "Viability 68.4 %: 1.6 below the lower limit of 70.0 %." The deviation is called so."""
    value = f"{entry.value_text} {entry.unit}".strip()
    # Answers and bounds ("< 0.5") stand in their own sentence.
    named = entry.value is not None and not entry.sentence.startswith(value)
    return f"{parameter.name} {value}: {entry.sentence}" if named else f"{parameter.name}: {entry.sentence}"


def took_words(found) -> str:
    """How long it took or has taken: "Sample to end of fill: 13 h 05 min, at most 12 h."."""
    minutes = int(found.standing.used.total_seconds() // 60)
    took = f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{found.limit.title}: {took if found.end is not None else f'not ended after {took}'}, at most {found.limit.max}."


def raise_time_limit(by: Actor, found, lot, *, tell: bool = True) -> Excursion | None:
    """Write the excursion of a broken time limit, once per lot and limit; None when it is written already. `tell` is False where the
    calling service tells the event itself."""
    if Excursion.objects.filter(lot=lot, kind="time_limit", reference=found.code).exists():
        return None
    excursion = Excursion(
        site_id=by.site_id, by_id=by.user_id, lot=lot, step_run=found.end_run, kind="time_limit", reference=found.code,
        limit_class=found.limit.limit_class, sentence=took_words(found), reaction=found.limit.reaction,
    )  # fmt: skip
    excursion.save()
    if tell:
        deed_now().tell(Event.EXCURSION_RAISED, excursion)
    return excursion


def raise_transport(by: Actor, hand_over: HandOver) -> Excursion:
    """Write the excursion of a container that was outside the recipe's temperatures on its way, in the transaction of its hand-over."""
    limits = limits_on(recipe_of(hand_over.lot), hand_over.kind)
    excursion = Excursion(
        site_id=by.site_id, by_id=by.user_id, lot=hand_over.lot, kind="transport", reference=str(hand_over.pk),
        limit_class=limits.limit_class if limits else "none",
        sentence=f"{hand_over.container.title}, {HAND_OVERS[hand_over.kind][:1].lower()}{HAND_OVERS[hand_over.kind][1:]}: {hand_over.temperature_sentence}",
    )  # fmt: skip
    excursion.save()
    deed_now().tell(Event.EXCURSION_RAISED, excursion)
    return excursion


def limits_as_text(parameter: Parameter) -> dict:
    """The limits a value was judged with, as text, kept with the entry."""
    kept = _as_text(plain(parameter.limits))
    if parameter.accept:
        kept["accept"] = list(parameter.accept)
    return kept


def _as_text(value):
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    return format_decimal(value) if isinstance(value, Decimal) else str(value)


def shown(number: Decimal, decimals: int | None) -> str:
    """A calculated number as it stands in the record: to its decimals, else to six significant digits where it has more."""
    if decimals is not None:
        with localcontext(Context(prec=60)):
            return format(number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN), "f")
    number = number.normalize()
    if len(number.as_tuple().digits) > SHOWN_DIGITS:
        number = Context(prec=SHOWN_DIGITS, rounding=ROUND_HALF_EVEN).plus(number).normalize()
    return format_decimal(number) if number.adjusted() < 6 else f"{number.scaleb(-number.adjusted()):f}e{number.adjusted()}"


def _calculated(recipe: Recipe) -> dict:
    return _of(recipe)[0]


def _order(recipe: Recipe) -> tuple[str, ...]:
    return tuple(name for name in _of(recipe)[1] if name in _calculated(recipe))


#: Recipes whose calculations are kept ready in a process: more than are made at once at a site, and no more.
KEPT = 64
_known: dict[int, tuple] = {}


def _of(recipe: Recipe) -> tuple:
    # Recipes are parsed once and never change; the object itself is kept, so its id stays its own. The one that waited longest goes first.
    kept = _known.pop(id(recipe), None)
    if kept is None:
        found = {p.key: (step, p) for step, p in recipe.parameters() if p.type == "calculated"}
        order = calculation_order({key: expression(p.expression or "") for key, (_, p) in found.items()})
        kept = (recipe, found, order)
        while len(_known) >= KEPT:
            _known.pop(next(iter(_known), None), None)
    _known[id(recipe)] = kept
    return kept[1:]
