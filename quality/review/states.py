"""Where a review may move; a later entry opens a reviewed lot again (AUD-11)."""

from mes.records.states import StateTable

REVIEW = StateTable("review", "open", {"open": frozenset({"reviewed"}), "reviewed": frozenset({"open"})})
