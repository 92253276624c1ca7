"""How a lot is named at the top of every page about it: the same words in the same place (the lot band)."""

from __future__ import annotations

from functools import lru_cache

from batches.lots.models import Lot
from batches.lots.states import LOT_WORDS
from batches.recipes.models import RecipeVersion


@lru_cache(maxsize=256)
def product_name(recipe_version_id) -> str:
    """What people call the product that a version of a recipe makes; asked once per process, an approved version stays as it is."""
    return RecipeVersion.objects.select_related("master").defer("text").get(pk=recipe_version_id).master.product_name


def band(lot: Lot) -> dict:
    """Context of `lotband.html`: `lot` and `facts`. Pseudonym and chain of identity, never the patient."""
    return {
        "lot": {"check": lot.check_code, "number": lot.number, "product": product_name(lot.recipe_version_id), "url": f"/lots/{lot.number}/", "demo": lot.demo},
        "facts": [
            {"k": "Chain of identity", "v": lot.therapy_event.coi, "mono": True},
            {"k": "State", "v": LOT_WORDS[lot.state]},
            {"k": "Subject", "v": lot.therapy_event.patient.pseudonym, "mono": True, "opt": True},
            {"k": "Centre", "v": lot.therapy_event.treatment_centre, "opt": True},
        ],
    }
