"""How long the way from donor to patient stays traceable after a product was used, by market: data, never a branch in code (decisions 16). RET-01."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Traceability:
    """For how many years after its use a product stays traceable to its patient, and where that is written."""

    years: int
    clause: str

    def until(self, used_at: dt.datetime) -> dt.datetime:
        """The end, counted from the use; a 29 February counts to 1 March."""
        try:
            return used_at.replace(year=used_at.year + self.years)
        except ValueError:
            return used_at.replace(year=used_at.year + self.years, month=3, day=1)


TRACEABILITY: dict[str, Traceability] = {
    "EU": Traceability(30, "Regulation (EC) 1394/2007 Art. 15(4), Directive 2004/23/EC Art. 8(4)"),
    "US": Traceability(10, "21 CFR 1271.270(d)"),
}
"""A market without a line has no end that is known here: nothing is erased on a guess."""
