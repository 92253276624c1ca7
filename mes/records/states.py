"""A record's states as a table: who may move where is data, drawn into the docs and checked on every save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mes.errors import RuleBroken


@dataclass(frozen=True)
class StateTable:
    """Moves of one record type: `moves[state]` is the set of states that may follow."""

    name: str
    first: str
    moves: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        known = set(self.moves)
        for state, following in self.moves.items():
            unknown = following - known
            if unknown:
                raise ValueError(
                    f"{self.name}: {state} leads to {sorted(unknown)}, which the table does not hold"
                )

    def check_move(self, old: str, new: str) -> None:
        """Raises RuleBroken("state_move") when the table holds no such move."""
        if old != new and new not in self.moves[old]:
            raise RuleBroken(
                "state_move",
                f"The {self.name} is {old.replace('_', ' ')}; from there it cannot become {new.replace('_', ' ')}.",
            )

    def ends(self) -> frozenset[str]:
        return frozenset(
            state for state, following in self.moves.items() if not following
        )

    def mermaid(self) -> str:
        """The state diagram for the docs (Mermaid text)."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.first}"]
        lines += [
            f"    {old} --> {new}"
            for old, following in self.moves.items()
            for new in sorted(following)
        ]
        lines += [f"    {end} --> [*]" for end in sorted(self.ends())]
        return "\n".join(lines)
