"""Where a recipe version may move."""

from mes.records.states import StateTable

RECIPE_VERSION = StateTable(
    "recipe version",
    "draft",
    {
        "draft": frozenset({"in_review", "withdrawn"}),
        "in_review": frozenset({"draft", "approved", "withdrawn"}),
        "approved": frozenset({"effective", "withdrawn"}),
        "effective": frozenset({"superseded"}),
        "superseded": frozenset(),
        "withdrawn": frozenset(),
    },
)
