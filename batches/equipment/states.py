"""Where a piece of equipment may move."""

from mes.records.states import StateTable

EQUIPMENT = StateTable(
    "equipment",
    "in_service",
    {"in_service": frozenset({"out_of_service", "retired"}), "out_of_service": frozenset({"in_service", "retired"}), "retired": frozenset()},
)

STATE_WORDS = {"in_service": "in service", "out_of_service": "out of service", "retired": "retired"}
