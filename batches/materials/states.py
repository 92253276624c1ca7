"""Where a material lot may move. 21 CFR 211.84, 211.110(c)."""

from mes.records.states import StateTable

MATERIAL_LOT = StateTable(
    "material lot",
    "quarantine",
    {
        "quarantine": frozenset({"released", "rejected"}),
        "released": frozenset({"blocked"}),
        "blocked": frozenset({"released", "rejected"}),
        "rejected": frozenset(),
    },
)
