"""How the parts of a recipe that are codes are said to a person. Numbers stay as they are written; templates draw their powers."""

from __future__ import annotations

from batches.recipes.document.schema import Dose, Recipe, Sample
from batches.recipes.quantities import format_decimal
from mes.words import plain

TYPES = {
    "decimal": "number", "integer": "whole number", "text": "text", "choice": "choice", "datetime": "date and time", "date": "date", "boolean": "yes or no",
    "identifier": "identifier", "calculated": "calculated",
}  # fmt: skip
"""What a parameter takes, by its type."""
SOURCES = {"typed": "", "equipment": "from equipment", "either": "typed or from equipment"}
"""Where a value comes from."""
CONSEQUENCES = {"continue": "the lot goes on", "hold": "the lot is held", "terminate": "the lot ends"}
"""What an answer to the question of a decision does."""
_EVIDENCE = {"V": "read in {}", "S": "quoted in {}", "K": "recalled"}


def evidence_words(evidence: str | None, source: str | None) -> str:
    """Where a number comes from: "read in S1", "recalled"; what is made up says so (decisions 29)."""
    if not evidence or evidence not in _EVIDENCE:
        return evidence or ""
    return _EVIDENCE[evidence].format(source or "its source")


def cohort_words(dose: Dose, code: str) -> str:
    """A cohort by its target, and by its code where there are several to tell apart: "low: 1e5 cells/kg". A code that is none of the dose's stays."""
    found = next((each for each in dose.cohorts if each.code == code), None)
    if found is None:
        return code
    target = f"{format_decimal(found.target)} {dose.unit}"
    return f"{plain(code)}: {target}" if len(dose.cohorts) > 1 else target


def event_words(recipe: Recipe, event: str) -> str:
    """A moment that a time limit counts from or to, by its step: "A6.2.vector_thawed_at" by its name, "step:A6.1.signed" as it is said."""
    step, _, key = event.removeprefix("step:").rpartition(".")
    return f"step {step} {key}" if event.startswith("step:") else f"“{recipe.parameter_names().get(key, plain(key))}” of step {step}"


def words_of_tests(sample: Sample, names: dict[str, str]) -> str:
    """What a sample is tested for, by the names of the criteria that are known."""
    return ", ".join(names.get(each, plain(each)) for each in sample.tests)
