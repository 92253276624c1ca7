"""Everything that stands in the record of one step, read by one statement: what is signed of it, and what it still needs.

Whoever signs waits for these reads while lot and step are locked, so they are one question, and what was shown, what is missing and what is
digested come from the same answer.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.functions import JSONObject

from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, Excursion, ExcursionChoice, ScanEvent, StepDecision, StepRun
from batches.execution.queries.files import digest_of_content
from batches.lots.models import Hold
from batches.materials.models import Consumption
from mes.asked import asked
from mes.audit.chain import instant
from mes.errors import RuleBroken

Row = dict[str, Any]
"""One row as the database wrote it into JSON: texts, yes or no, moments as text; a number that counts is never among them."""


@dataclass(frozen=True)
class Held:
    """The rows of a step, each kind oldest first."""

    opened_by: str
    scans: list[Row]
    """The scans on which the step was opened."""
    consumptions: list[Row]
    """As they count now; what was corrected is not among them."""
    equipment: list[Row]
    entries: list[Row]
    """Every entry; those that still count are in `current`."""
    files: list[Row]
    excursions: list[Row]
    """Those of values, with the choices about each."""
    decision: Row | None
    hold: Row | None
    """The hold of the lot, while one is in force."""

    @cached_property
    def current(self) -> dict[str, Row]:
        """The entries that count now, by parameter."""
        return {each["parameter"]: each for each in self.entries if not each["superseded"]}

    def before(self, parameter: str) -> list[Row]:
        """The entries of a parameter that count no longer."""
        return [each for each in self.entries if each["superseded"] and each["parameter"] == parameter]

    @property
    def damaged(self) -> Row | None:
        """The first file whose bytes do not give the digest that was taken when it was attached."""
        return next((each for each in self.files if each["digest_now"] != each["sha256"]), None)

    @property
    def undecided(self) -> list[Row]:
        """Excursions about which nobody has chosen yet; a correction answers the excursion of the value it corrects."""
        return [each for each in self.excursions if not is_answered(each["superseded"], [made["choice"] for made in each["choices"]])]


def is_answered(corrected: bool, choices: list[str]) -> bool:
    """Whether an excursion is answered: its value was corrected, or the last choice about it was to keep it or to stop."""
    return corrected or (bool(choices) and choices[-1] != "correct")


def held_by(run: StepRun) -> Held:
    """What the step holds now. One statement."""
    return held_from(steps_with_rows(run.pk)[0])


def held_from(found) -> Held:
    """What a step of steps_with_rows() holds."""
    return Held(
        found.opened_by_name or "", found.scans, found.taken, found.used, found.values, found.kept, found.passed,
        found.decided[0] if found.decided else None, found.holds[0] if found.holds else None,
    )  # fmt: skip


def check_files(held: Held) -> None:
    """Nobody signs over a file that is not the one that was attached. Raises RuleBroken("file_damaged"). DI-04; 21 CFR 11.10(c)."""
    if held.damaged is not None:
        raise RuleBroken(
            "file_damaged",
            f"The file {held.damaged['name']} of this step is not the one that was attached: its digest is another. Nothing is signed over it. Call quality.",
        )


def moment(text: str | None) -> str:
    """A moment as the database wrote it into JSON, in the form in which it is signed; empty where there is none."""
    return instant(dt.datetime.fromisoformat(text)) if text else ""


def _rows(kind, *, by: str = "recorded_at", **fields):
    return ArraySubquery(kind.order_by(by, "pk").values(json=JSONObject(**fields)))


@asked(uuid.UUID)
def steps_with_rows(run_id):
    of_run, when, who = {"step_run": OuterRef("pk")}, "recorded_at", "by__full_name"
    choices = ExcursionChoice.objects.filter(excursion=OuterRef("pk"))
    return StepRun.objects.only("pk").filter(pk=run_id).annotate(
        opened_by_name=F("opened_by__full_name"),
        scans=_rows(
            ScanEvent.objects.filter(purpose="open", matched=True, **of_run),
            title="container__title", identifier="container__identifier", typed="typed", beside="with_person__full_name", at=when, by_name=who,
        ),
        taken=_rows(
            Consumption.objects.filter(superseded_by=None, **of_run),
            line="line", material="material_lot__material__name", number="material_lot__number", expires="material_lot__expires_at",
            quantity="quantity_text", counts=ExpressionWrapper(Q(quantity__gt=0), BooleanField()), unit="unit", at=when, by_name=who, reason="reason",
        ),
        used=_rows(
            EquipmentUse.objects.filter(**of_run),
            class_code="class_code", name="equipment__name", code="equipment__code", calibrated_until="calibrated_until", at=when, by_name=who,
        ),
        values=_rows(
            Entry.objects.filter(**of_run),
            parameter="parameter", value="value_text", unit="unit", level="level", sentence="sentence", source="source", trace="trace", at=when,
            by_name=who, claimed_at="claimed_at", late="late", reason="reason", confirmed_by="confirmed_by__full_name",
            superseded=Exists(Entry.objects.filter(supersedes=OuterRef("pk"))),
        ),
        kept=_rows(
            Attachment.objects.filter(**of_run),
            code="code", name="file_name", size="size", sha256="sha256", digest_now=digest_of_content(),
        ),
        passed=_rows(
            Excursion.objects.filter(entry__isnull=False, **of_run),
            id="pk", parameter="entry__parameter", sentence="sentence", superseded=Exists(Entry.objects.filter(supersedes=OuterRef("entry"))),
            choices=_rows(choices, choice="choice", reason="reason", at=when, by_name=who),
        ),
        decided=_rows(StepDecision.objects.filter(**of_run), option="option", consequence="consequence", reason="reason"),
        holds=_rows(Hold.objects.filter(lot=OuterRef("lot"), state="open"), reason="reason"),
    )  # fmt: skip
