"""Where a piece of equipment may move."""

from mes.records.states import StateTable

EQUIPMENT = StateTable(
    "equipment",
    "in_service",
    {"in_service": frozenset({"out_of_service", "retired"}), "out_of_service": frozenset({"in_service", "retired"}), "retired": frozenset()},
)
