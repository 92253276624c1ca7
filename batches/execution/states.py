"""Where a step run may move."""

from mes.records.states import StateTable

STEP_RUN = StateTable(
    "step",
    "waiting",
    {
        "waiting": frozenset({"open", "not_done"}),
        "open": frozenset({"performed", "stopped", "not_done"}),
        "stopped": frozenset({"open", "not_done"}),
        "performed": frozenset({"complete"}),
        "complete": frozenset(),
        "not_done": frozenset(),
    },
)
