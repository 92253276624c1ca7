"""Where a specification version may move."""

from mes.records.states import StateTable

SPECIFICATION_VERSION = StateTable(
    "specification version",
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
