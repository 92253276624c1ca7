"""What a label says: data of markets and kinds of container. Patient identity is on the final label only (decisions 10).

21 CFR 1271.90(c), 1271.370, 610.60; Regulation (EC) 1394/2007 Annex III, UK HMR 2012 Schedule 24. Which of them a product needs is
for the site's regulatory people to confirm; these are where a site starts.
"""

from __future__ import annotations

from dataclasses import dataclass

FINAL = "final_bag"


@dataclass(frozen=True)
class MarketLabel:
    """What the final label of a market prints: fields of the identity, in order, and statements."""

    identity: tuple[str, ...]
    statements: tuple[str, ...]


IDENTITY_WORDS = {"full_name": "Patient", "born": "Born", "hospital_number": "Hospital no"}

MARKETS: dict[str, MarketLabel] = {
    "EU": MarketLabel(("full_name", "born", "hospital_number"), ("For autologous use only", "Gene therapy: contains genetically modified cells")),
    "UK": MarketLabel(("full_name", "born", "hospital_number"), ("For autologous use only", "Gene therapy: contains genetically modified cells")),
    "US": MarketLabel(
        ("full_name", "born", "hospital_number"),
        ("FOR AUTOLOGOUS USE ONLY", "NOT EVALUATED FOR INFECTIOUS SUBSTANCES", "Rx only"),
    ),
    "JP": MarketLabel(("full_name", "born", "hospital_number"), ("For autologous use only",)),
}

IN_PROCESS = ("For autologous use only", "In process: not for infusion")
"""On every container that is not final."""

HAND_OVERS = {
    "to_manufacture": "Starting material leaves the place of collection",
    "at_manufacture": "Starting material arrives where it is made into a lot",
    "dispatch": "Product leaves for the treatment centre",
    "at_centre": "Product arrives at the treatment centre",
    "to_bedside": "Product is issued to the bedside",
    "return": "Product comes back unused",
}
"""Kinds of hand-over and their words."""
