"""How a lot is named at the top of every page about it: the same words in the same place (the lot band)."""

from __future__ import annotations

from batches.lots.models import Lot
from batches.lots.states import LOT_WORDS


def band(lot: Lot) -> dict:
    """Context of `lotband.html`: `lot` and `facts`. Pseudonym and chain of identity, never the patient."""
    return {
        "lot": {"check": lot.check_code, "number": lot.number, "product": lot.product, "url": f"/lots/{lot.number}/", "demo": lot.demo},
        "facts": [
            {"k": "Chain of identity", "v": lot.therapy_event.coi, "mono": True},
            {"k": "State", "v": LOT_WORDS[lot.state]},
            {"k": "Subject", "v": lot.therapy_event.patient.pseudonym, "mono": True, "opt": True},
            {"k": "Centre", "v": lot.therapy_event.treatment_centre, "opt": True},
        ],
    }
