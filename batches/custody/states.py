"""Where a label may move: printed, then used or destroyed; a used one that is taken off is destroyed. 21 CFR 211.125."""

from mes.records.states import StateTable

LABEL = StateTable("label", "printed", {"printed": frozenset({"used", "destroyed"}), "used": frozenset({"destroyed"}), "destroyed": frozenset()})
