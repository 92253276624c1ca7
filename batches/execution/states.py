"""Where a step run may move."""

from mes.records.states import StateTable

CHOICE_WORDS = {"correct": "Correct the value", "keep": "Keep and go on", "stop": "Keep and stop the step"}
"""What a person chooses about a value outside its limits."""

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
