"""Where a deviation may move."""

from mes.records.states import StateTable

DEVIATION = StateTable(
    "deviation",
    "open",
    {
        "open": frozenset({"classified"}),
        "classified": frozenset({"assessed", "closed"}),
        "assessed": frozenset({"closed", "classified"}),
        "closed": frozenset(),
    },
)
