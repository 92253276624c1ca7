"""The data of a periodic product review, of one product at one site over a period. REC-06; 21 CFR 211.180(e); EU GMP Part IV 2.

Each figure counts what was recorded within the period, as it stood when the period ended: facts by the database's time of recording, records by
their version of then. Whoever asks again for a period that is over gets the same figures, whatever was recorded since; a digest over all of it shows
that. Each figure names the lots behind it, and nothing of it is kept or can be edited.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batches.custody.models import HandOver
from batches.execution.models import Entry
from batches.execution.queries import recipe_of
from batches.lots.models import Lot
from batches.recipes.models import RecipeVersion
from mes.audit.chain import canonical_json
from mes.words import plain
from quality.deviations.models import Deviation
from quality.release.models import ReleaseDecision
from quality.samples.judging import FAILING
from quality.samples.models import Result
from quality.samples.queries import name_of
from quality.specifications.models import SpecificationVersion

CERTIFIED = ("stage_1", "final")
CLASSES = {"unclassified": "not classified yet"}
STATES = {"open": "not classified yet", "classified": "to assess", "assessed": "to close", "closed": "closed"}
TIMED = frozenset({"ordered", "started"})
ENDED = {"terminated": "Ended before release", "cancelled": "Cancelled before use", "manufactured_not_infused": "Manufactured, not infused"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a figure counts, with the lot behind it ("" where a change has none yet)."""

    lot: str
    detail: str
    words: str = ""
    """The detail as a person reads it, where it holds codes."""

    @property
    def moment(self) -> dt.datetime:
        """The detail of a timed figure as the time it is."""
        return dt.datetime.fromisoformat(self.detail)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many there were, and which."""

    code: str
    title: str
    lines: tuple[Line, ...]

    @property
    def is_timed(self) -> bool:
        """Whether each detail is a time."""
        return self.code in TIMED

    @property
    def number(self) -> int:
        return len(self.lines)

    @property
    def lots(self) -> list[str]:
        return sorted({line.lot for line in self.lines if line.lot})


@dataclass(frozen=True)
class ProductReview:
    """Every figure of a period. The digest is the same for as long as the figures are."""

    product: str
    since: dt.datetime
    until: dt.datetime
    figures: tuple[Figure, ...]

    @property
    def digest(self) -> str:
        said = {"product": self.product, "since": self.since.isoformat(), "until": self.until.isoformat(), "figures": [_exact(each) for each in self.figures]}
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()


def _exact(figure: Figure) -> dict:
    """A figure as its digest covers it: codes as they are stored, so that it does not depend on how they are said."""
    return {"code": figure.code, "title": figure.title, "lines": [{"lot": line.lot, "detail": line.detail} for line in figure.lines]}


@dataclass(frozen=True)
class _Period:
    site_id: uuid.UUID
    product: str
    since: dt.datetime
    until: dt.datetime

    def within(self, name: str) -> dict:
        return {f"{name}__gte": self.since, f"{name}__lt": self.until}

    def lots(self):
        return Lot.objects.filter(site_id=self.site_id, product=self.product)


def products(site_id: uuid.UUID) -> dict[str, str]:
    """The products of which the site has lots: code and what people call it."""
    rows = Lot.objects.filter(site_id=site_id).order_by("product", "-recorded_at").distinct("product")
    return {lot.product: lot.recipe_version.master.product_name for lot in rows.select_related("recipe_version__master").defer("recipe_version__text")}


def product_review(site_id: uuid.UUID, product: str, since: dt.datetime, until: dt.datetime) -> ProductReview:
    """The figures of a product at a site from `since` up to and without `until` (record time). Called inside the site's context."""
    period = _Period(site_id, product, since.astimezone(dt.UTC), until.astimezone(dt.UTC))
    return ProductReview(product, period.since, period.until, tuple(_figures(period)))


def _figures(period: _Period) -> Iterator[Figure]:
    yield _of_lots("ordered", "Lots ordered", period.lots().filter(**period.within("recorded_at")), "recorded_at")
    yield _of_lots("started", "Lots started", period.lots().filter(**period.within("started_at")), "started_at")
    for state, title in ENDED.items():
        yield Figure(state, title, _came_to(period, state))
    decisions = list(ReleaseDecision.objects.filter(lot__in=period.lots(), **period.within("recorded_at")).select_related("lot").order_by("recorded_at", "id"))
    for kind, title in (("stage_1", "Lots certified, stage 1"), ("final", "Lots certified, final"), ("rejected", "Lots rejected")):
        yield Figure(kind, title, tuple(Line(each.lot.number, each.reason) for each in decisions if each.kind == kind))
    yield Figure("yield", "Yields of the lots certified", tuple(_yields(period, {each.lot for each in decisions if each.kind in CERTIFIED})))
    yield _results(period)
    yield _deviations(period)
    yield Figure("changes", "Changes that took effect", tuple(_changes(period)))
    gone = set(HandOver.objects.filter(lot__in=period.lots(), kind="dispatch", recorded_at__lt=period.until).values_list("lot_id", flat=True))
    withdrawn = [each for each in decisions if each.kind == "withdrawn"]
    yield Figure("withdrawn", "Certifications withdrawn", tuple(Line(each.lot.number, each.reason) for each in withdrawn))
    recalled = tuple(Line(each.lot.number, each.reason) for each in withdrawn if each.lot_id in gone)
    yield Figure("recalled", "Of these, product that had been dispatched", recalled)


def _of_lots(code: str, title: str, lots, moment: str) -> Figure:
    return Figure(code, title, tuple(Line(lot.number, getattr(lot, moment).astimezone(dt.UTC).isoformat()) for lot in lots.order_by(moment, "id")))


def _came_to(period: _Period, state: str) -> tuple[Line, ...]:
    """The lots whose first version in a state is of the period."""
    versions = Lot.history.model.objects.filter(id__in=period.lots().values("id"), state=state, history_date__lt=period.until)
    first = versions.order_by("id", "version").distinct("id")
    return tuple(Line(each.number, each.end_reason) for each in sorted(first, key=lambda each: each.number) if each.history_date >= period.since)


def _yields(period: _Period, lots: set[Lot]) -> Iterator[Line]:
    """The total of the certificate's cells, as the record said it when the period ended."""
    for lot in sorted(lots, key=lambda each: each.number):
        named = recipe_of(lot).certificate.total_car_cells
        found = Entry.objects.filter(lot=lot, parameter=named, recorded_at__lt=period.until).order_by("recorded_at", "id").last()
        yield Line(lot.number, f"{found.value_text} {found.unit}".strip() if found else "not recorded")


def _results(period: _Period) -> Figure:
    found = Result.objects.filter(lot__in=period.lots(), verdict__in=FAILING, **period.within("recorded_at"))
    found = found.select_related("lot", "specification_version").order_by("recorded_at", "id")
    values = [(each, f"{each.value_text} {each.unit}".strip()) for each in found]
    lines = [Line(each.lot.number, f"{each.criterion}: {value}", f"{name_of(each)}: {value}, {plain(each.verdict)}") for each, value in values]
    return Figure("out_of_specification", "Results out of specification", tuple(lines))


def _deviations(period: _Period) -> Figure:
    opened = list(Deviation.objects.filter(lot__in=period.lots(), **period.within("recorded_at")).select_related("lot").order_by("recorded_at", "id"))
    versions = Deviation.history.model.objects.filter(id__in=[each.pk for each in opened], history_date__lt=period.until)
    then = {each.id: each for each in versions.order_by("id", "-version").distinct("id")}
    lines = []
    for each in opened:
        classed, state = then[each.pk].classification, then[each.pk].state
        told = f"{each.number}: {each.title}"
        lines.append(Line(each.lot.number, f"{told} ({classed}, {state})", f"{told} ({CLASSES.get(classed, classed)}, {STATES.get(state, state)})"))
    return Figure("deviations", "Deviations opened", tuple(lines))


def _changes(period: _Period) -> Iterator[Line]:
    """Versions of recipe and specification that took effect, each with the lots started with it in the period."""
    recipes = _took_effect(period, RecipeVersion, master__product=period.product)
    for version in recipes:
        started = period.lots().filter(recipe_version_id=version.id, **period.within("started_at")).order_by("number").values_list("number", flat=True)
        yield from (Line(number, f"recipe {version.label}") for number in started) if started else [Line("", f"recipe {version.label}")]
    for version in _took_effect(period, SpecificationVersion, specification__product=period.product):
        judged = Result.objects.filter(specification_version_id=version.id, lot__in=period.lots(), **period.within("recorded_at"))
        numbers = sorted(set(judged.values_list("lot__number", flat=True)))
        yield from [Line(number, f"specification {version.label}") for number in numbers] or [Line("", f"specification {version.label}")]


def _took_effect(period: _Period, model, **of: str) -> Sequence:
    ids = model.objects.filter(**of).values("id")
    first = model.history.model.objects.filter(id__in=ids, state="effective", history_date__lt=period.until).order_by("id", "version").distinct("id")
    return sorted((each for each in first if each.history_date >= period.since), key=lambda each: (each.history_date, each.label))
