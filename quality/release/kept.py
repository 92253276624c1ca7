"""The conditions of a certified lot as they were certified, and what is otherwise since then. REL-01, REL-08.

A certification keeps every line of the gate as it was checked inside its signing transaction. Asked today, the same lines answer for
another lot: one that was certified, supplied, and has aged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quality.release.gate import GateLine
from quality.release.models import ReleaseDecision

HELD = frozenset({"holds", "pending", "assessed"})
MOVED_BY_IT = frozenset({"state"})
"""Lines that the certification itself changes: they say nothing about the lot."""


@dataclass(frozen=True, slots=True)
class Since:
    """One condition that is otherwise than when the lot was certified."""

    text: str
    words: str
    holds: bool


def as_certified(decision: ReleaseDecision) -> list[GateLine]:
    """The lines of a certification as they were kept with it, in their order."""
    return [
        GateLine(
            each["code"], each["text"], each["result"] in HELD, each["detail"], blocking=False, pending=each["result"] == "pending",
            assessed=each["result"] == "assessed",
        )
        for each in decision.gate
    ]  # fmt: skip


def since(decision: ReleaseDecision, now: Sequence[GateLine]) -> list[Since]:
    """What the same conditions answer otherwise now, in the order of the gate; a count that grew and still holds is no change."""
    then = {each["code"]: each for each in decision.gate}
    today = {line.code: line for line in now}
    found = []
    for code, line in today.items():
        before, answers = then.get(code), line.plain()["result"]
        if code in MOVED_BY_IT or (before["result"] == answers if before else line.ok):
            continue
        was = f"{before['result'].capitalize()} then" if before else "Not asked then"
        found.append(Since(line.text, f"{was}, {answers} now. {line.detail}".rstrip(), line.ok))
    # A result that was pending has no line of its own any more once it is in.
    found += [Since(each["text"], "Pending then, no longer.", True) for code, each in then.items() if each["result"] == "pending" and code not in today]
    return found
