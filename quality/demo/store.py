"""What lies in the store and stands on the floor of a demo, by the code that recipes use, as the API lists it."""

from __future__ import annotations

from quality.demo.client import Person


class Store:
    """Identifiers to scan: released material lots by material, equipment by class. Read once, read again when something is missing."""

    def __init__(self, person: Person):
        self.person = person
        self.materials: dict[str, list[str]] = {}
        self.pieces: dict[str, list[str]] = {}

    def material(self, code: str) -> list[str]:
        """Identifiers of released lots of a material, the one that expires first in front."""
        if code not in self.materials:
            self.materials = {}
            lots = sorted(everything(self.person, "/api/v1/material-lots/"), key=lambda lot: lot["expires_at"])
            for lot in lots:
                if lot["state"] == "released":
                    self.materials.setdefault(lot["material"], []).append(lot["identifier"])
        return self.materials.get(code, [])

    def equipment(self, code: str) -> list[str]:
        """Identifiers of equipment of a class."""
        if code not in self.pieces:
            self.pieces = {}
            for piece in everything(self.person, "/api/v1/equipment/"):
                self.pieces.setdefault(piece["equipment_class"], []).append(piece["identifier"])
        return self.pieces.get(code, [])


def everything(person: Person, path: str, **query) -> list[dict]:
    """Every row of a list, page after page; a list that has no pages, whole."""
    found: list[dict] = []
    cursor = ""
    while True:
        answer = person.get(path, cursor=cursor, limit=200, **query)
        if isinstance(answer, list):
            return answer
        found += answer["items"]
        cursor = answer["next"]
        if not cursor:
            return found
