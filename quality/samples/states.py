"""Where a sample may move."""

from mes.records.states import StateTable

SAMPLE = StateTable(
    "sample",
    "expected",
    {
        "expected": frozenset({"drawn", "not_drawn"}),
        "drawn": frozenset({"received", "lost"}),
        "received": frozenset({"tested", "lost"}),
        "tested": frozenset(),
        "not_drawn": frozenset(),
        "lost": frozenset(),
    },
)

CLOSED = frozenset({"rejected", "terminated", "cancelled"})
"""States of a lot that takes no results any more."""
