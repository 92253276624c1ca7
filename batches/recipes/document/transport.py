"""Within which temperatures a product and what it is made of travel and wait, as the recipe says it. EU GMP Part IV 13.4; 21 CFR 211.150."""

from typing import Literal

from pydantic import Field

from batches.recipes.document.fields import Code, Evidence, Frozen, Number


class TemperatureLimits(Frozen):
    """The temperatures in degC that a hand-over is judged against: the lowest and the highest on the way. At least one bound, each inclusive."""

    min: Number | None = None
    max: Number | None = None
    limit_class: Literal["CPP", "KPP", "IPC", "CQA", "none"] = Field(alias="class")
    evidence: Evidence
    evidence_source: Code | None = None

    @property
    def min_exclusive(self) -> None:
        """Bounds here are inclusive."""

    @property
    def max_exclusive(self) -> None:
        """Bounds here are inclusive."""


class Transport(Frozen):
    """Limits of what is on its way; where one is not given, nothing is judged and that is said."""

    starting_material: TemperatureLimits | None = None
    product: TemperatureLimits | None = None
