"""The three ways about a value outside its limits: what may be chosen, and what was."""

from __future__ import annotations

from batches.execution import queries
from batches.execution.models import Excursion
from batches.execution.queries.content import excursions_of
from batches.execution.states import CHOICE_WORDS
from batches.execution.views.screen import Screen
from mes.clock import typed_words

TOLD = "A deviation is open and the supervisor is told; quality decides before release."
STOPS = "Nothing more is recorded here until a supervisor or quality decides."


def ways_of(screen: Screen) -> list[dict]:
    """Excursions nobody has chosen about, each with its ways out."""
    if screen.run.state not in ("open", "stopped") or screen.hold is not None:
        return []
    open_ones = {each.pk for each in queries.undecided(screen.run)}
    return [_way(screen, each) for each in excursions_of(screen.run) if each.pk in open_ones]


def _way(screen: Screen, excursion: Excursion) -> dict:
    entry = excursion.entry
    value = f"{typed_words(entry.value_text, screen.zone)} {entry.unit}".strip()
    calculated = entry.source == "calculated"
    wrong = "A value it is made of was typed wrong." if calculated else "I read or typed it wrong. The first value stays in the audit trail."
    ways = [{"value": "correct", "label": "Correct the value", "consequence": wrong}]
    if excursion.kind != "hard_limit":
        ways.append({"value": "keep", "label": f"Keep {value} and go on", "consequence": TOLD})
    if screen.run.state == "open":
        ways.append({"value": "stop", "label": f"Keep {value} and stop the step", "consequence": STOPS})
    url = screen.url("choose", excursion_id=excursion.pk)
    return {"excursion": excursion, "ways": ways, "value": value, "stopped": screen.run.state == "stopped", "url": url}


def choices_of(screen: Screen) -> list[dict]:
    """What was chosen about each excursion of the step, oldest first."""
    if screen.run.state == "waiting":
        return []
    return [
        {"excursion": each, "word": CHOICE_WORDS.get(made.choice, made.choice), "reason": made.reason, "by": made.by.full_name, "at": made.recorded_at}
        for each in excursions_of(screen.run)
        for made in sorted(each.choices.all(), key=lambda made: made.recorded_at)
    ]
