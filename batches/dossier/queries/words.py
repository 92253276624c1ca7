"""The words of lots: what their recipes call steps, parameters and materials, and what their containers are called."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import models

from batches.execution.models import StepRun
from batches.lots.models import Container, Lot
from batches.recipes import queries as recipes
from batches.recipes.document.schema import Recipe
from mes.audit.wordings import Words
from mes.words import plain


@dataclass
class LotWords(Words):
    """What wordings may ask of a lot."""

    recipe: Recipe | None = None
    runs: dict[uuid.UUID, tuple[str, str]] = field(default_factory=dict)
    """Run key and step key of each step run."""
    containers: dict[uuid.UUID, str] = field(default_factory=dict)

    def parameter(self, run_id, key: str) -> str:
        run = self.runs.get(run_id)
        try:
            return self.recipe.step(run[1]).parameter(key).name if run else plain(key)
        except KeyError:
            return plain(key)

    def material(self, code: str) -> str:
        return next((each.name for each in self.recipe.materials if each.code == code), code)

    def step(self, run_id) -> str:
        run = self.runs.get(run_id)
        return f"Step {run[0]}, {self.recipe.step(run[1]).title}" if run else ""

    def where(self, row) -> str:
        keys = (getattr(row, column, None) for column in ("step_run_id", "id", "record_id"))
        return next((step for step in map(self.step, keys) if step), "")

    def called(self, model: type[models.Model], key) -> str:
        if model is StepRun:
            return self.step(key)
        return self.containers.get(key, "") if model is Container else ""

    def coded(self, model: type[models.Model], column: str, row) -> str:
        value = getattr(row, column)
        if column == "parameter" and getattr(row, "step_run_id", None):
            return self.parameter(row.step_run_id, value)
        if model is StepRun and column == "key":
            return self.step(row.id)
        if column == "stage":
            return next((each.title for each in self.recipe.stages if each.code == value), "")
        return self.material(value) if column == "line" else ""


def lot_words(lot_ids: Iterable[uuid.UUID], zone: str) -> dict[uuid.UUID, Words]:
    """The words of each of these lots that the site may see, with three queries for all of them."""
    lots = list(Lot.objects.select_related("recipe_version").defer("recipe_version__text").filter(pk__in=set(lot_ids)))
    runs: dict[uuid.UUID, dict] = {lot.pk: {} for lot in lots}
    for key, lot_id, *named in StepRun.objects.filter(lot_id__in=runs).values_list("pk", "lot_id", "key", "step_key"):
        runs[lot_id][key] = tuple(named)
    containers: dict[uuid.UUID, dict] = {lot.pk: {} for lot in lots}
    for key, lot_id, title in Container.objects.filter(lot_id__in=runs).values_list("pk", "lot_id", "title"):
        containers[lot_id][key] = title
    return {lot.pk: LotWords(zone, recipes.document(lot.recipe_version), runs[lot.pk], containers[lot.pk]) for lot in lots}
