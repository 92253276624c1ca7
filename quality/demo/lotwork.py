"""One lot from its order to where its story ends, as a generator: it works, then yields the record time at which it goes on.

Nothing of a product is here. What the lot still needs is read from the API each time, so a story that was interrupted goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from quality.demo import ordering
from quality.demo.cast import Cast
from quality.demo.floor import Floor
from quality.demo.judging import Judging
from quality.demo.laboratory import Laboratory, due_of
from quality.demo.ordering import Order
from quality.demo.store import Store
from quality.demo.values import LotData

MORNING = dt.time(8, 30)
BETWEEN_STAGES = dt.timedelta(minutes=25)
MAKING = {"ordered", "in_execution"}
CERTIFIED = {"certified_stage_1", "certified_final"}
ENDS = ("ordered", "in_execution", "in_qc", "in_review", "stage_1", "rejected", "final")
"""Where a story can end, in this order but for "rejected", which ends instead of stage 1."""


@dataclass
class LotWork:
    """A lot's story. `ends` is one of ENDS; `stops_after` the step after which one that ends in execution stops."""

    cast: Cast
    store: Store
    order: Order
    data: LotData
    now: Callable[[], dt.datetime]
    zone: str
    key: str
    ends: str = "final"
    stops_after: str = ""
    instead: dict[str, str] = field(default_factory=dict)
    """Results that differ from the lot's own, by criterion."""
    without: frozenset[str] = frozenset()
    """Criteria for which no result is entered."""
    tell: Callable[[str], None] = lambda text: None
    number: str = ""
    day_zero: dt.date = dt.date.min
    """Day 0: as many days after the order as the recipe plans before it."""
    floor: Floor = field(init=False)
    laboratory: Laboratory = field(init=False)
    judging: Judging = field(init=False)

    def course(self) -> Iterator[dt.datetime]:
        """Work to the end of the story. Raises Refused, TooSlow."""
        lot = ordering.place(self.cast, self.order, self.key)
        self.number = lot["number"]
        self.data.facts |= ordering.facts_of(lot)
        self.floor = Floor(self.cast, self.store, self.number, self.data, self.now, self.zone)
        self.laboratory = Laboratory(self.cast, self.number, self.data)
        self.judging = Judging(self.cast, self.number)
        lines = self.floor.steps()
        self.day_zero = dt.datetime.fromisoformat(lot["ordered_at"]).astimezone(ZoneInfo(self.zone)).date() - dt.timedelta(days=lines[0]["day"])
        self.floor.remember(lines)
        if self.ends == "ordered":
            return
        yield from self.make()
        if self.ends in ("in_execution", "in_qc"):
            return
        yield from self.test()
        if self.ends == "rejected":
            self.judging.reject("A result does not meet the specification; the lot cannot help the patient (demo)")
            return
        yield from self.judge()
        if self.ends in ("in_review", "stage_1"):
            return
        yield from self.use()
        yield from self.finish()

    # --- the calendar -------------------------------------------------------------------------------------------------

    def morning_of(self, day: int) -> dt.datetime:
        """When work begins on a day of the recipe."""
        return dt.datetime.combine(self.day_zero + dt.timedelta(days=day), MORNING, ZoneInfo(self.zone)).astimezone(dt.UTC)

    def until(self, moment: dt.datetime) -> Iterator[dt.datetime]:
        if moment > self.now():
            yield moment

    # --- manufacture --------------------------------------------------------------------------------------------------

    def make(self) -> Iterator[dt.datetime]:
        """Every step before release, each on its day."""
        before: dict | None = None
        lines = self.floor.steps()
        for place, line in enumerate(lines, start=1):
            if line["state"] in ("complete", "not_done"):
                before = line
                continue
            if before is not None and before["day"] != line["day"] and self.judging.state() not in MAKING:
                return  # every step before release is done
            yield from self.until(self.morning_of(line["day"]))
            if before is not None and before["day"] == line["day"] and before["stage"] != line["stage"]:
                yield self.now() + BETWEEN_STAGES
            self.tell(f"step {place} of {len(lines)}: {line['key']} {line['title']}")
            self.bring_material(before, line)
            self.floor.do(line)
            before = line
            if line["kind"] == "sampling":
                self.laboratory.receive_samples()
            if line["performed_by"] == "qc_analyst" or line["kind"] == "sampling":
                self.laboratory.test(frozenset({"in_process"}), without=self.without, instead=self.instead)
                self.laboratory.review()
            if self.stops_after == line["key"]:
                return

    def bring_material(self, before: dict | None, line: dict) -> None:
        """Tell the register of donations what happened to the bag: collected before it is first touched, received, decided on."""
        if line["touches_material"] == "collection_bag":
            ordering.collect(self.cast, self.number)
        if before is not None and before["performed_by"] == "receiving" and line["performed_by"] != "receiving":
            ordering.receive(self.cast, self.number)
            ordering.accept(self.cast, self.number)

    # --- quality control ----------------------------------------------------------------------------------------------

    def test(self) -> Iterator[dt.datetime]:
        """Results that are needed before release, then the dated readings of tests that still run."""
        self.tell("in QC: results before release")
        self.laboratory.receive_samples()
        self.laboratory.test(frozenset({"in_process", "before_infusion", "incoming"}), without=self.without, instead=self.instead)
        self.laboratory.review()
        for criterion, moment in sorted(self.laboratory.readings_due().items(), key=lambda each: each[1]):
            if criterion not in self.without:
                yield from self.until(moment)
                self.laboratory.read_interim(criterion)
        self.laboratory.review()

    # --- release ------------------------------------------------------------------------------------------------------

    def judge(self) -> Iterator[dt.datetime]:
        """Deviations, alerts, review, first certification."""
        self.tell("in review: deviations and exceptions")
        self.judging.answer_deviations()
        self.judging.acknowledge_alerts()
        if self.ends == "in_review":
            self.cast["qareviewer"].post(f"{self.judging.lot}review/")
            self.judging.decide_exceptions(but=1)
            return
        self.judging.review()
        if self.judging.state() not in CERTIFIED:
            stage = self.judging.gate()["stage"]
            self.tell(f"certifying, {stage.replace('_', ' ')}")
            self.judging.certify(stage)
        yield from ()

    def use(self) -> Iterator[dt.datetime]:
        """Dispatch, steps at the treatment centre, infusion: while a certified product is fresh."""
        waiting = [line for line in self.floor.steps() if line["state"] in ("waiting", "open", "performed")]
        fresh = [line for line in waiting if line["performed_by"] in ("operator", "treatment_centre")]
        for line in fresh:
            yield from self.until(self.morning_of(line["day"]))
            self.tell(f"after release: {line['key']} {line['title']}")
            if line["performed_by"] == "treatment_centre":
                self.judging.dispatch()
                self.judging.arrive()
            self.floor.do(line)
        volume = self.data.recorded.get("infused_volume", "")
        self.judging.infuse(self.now(), f"{volume} mL" if volume else "")

    def finish(self) -> Iterator[dt.datetime]:
        """Late results as they become due, final certification, the last steps."""
        for line in self.laboratory.late():
            yield from self.until((due_of(line) or self.now()) - dt.timedelta(hours=2))
            self.tell(f"late result: {line['name']}")
            self.laboratory.enter_late(line)
            self.laboratory.review()
        self.judging.answer_deviations()
        self.judging.acknowledge_alerts()
        if self.judging.state() != "certified_final":
            self.tell("certifying, final")
            self.judging.certify("final")
        for line in [line for line in self.floor.steps() if line["state"] in ("waiting", "open", "performed")]:
            yield from self.until(self.morning_of(line["day"]))
            self.floor.do(line)
        self.judging.acknowledge_alerts()
