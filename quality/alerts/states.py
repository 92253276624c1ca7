"""Where an alert may move."""

from mes.records.states import StateTable

ALERT = StateTable("alert", "raised", {"raised": frozenset({"acknowledged"}), "acknowledged": frozenset()})
