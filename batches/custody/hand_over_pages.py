"""Hand-overs by scan and signature: the page of each kind."""

from __future__ import annotations

from batches.custody import queries, rules, services
from batches.custody.wording import HAND_OVERS
from batches.lots import queries as lots
from batches.lots.band import band
from batches.lots.models import Container
from batches.lots.states import CONTAINER_WORDS
from batches.lots.views.scanned import code_in
from batches.lots.views.second_reader import ReadByTwoPage
from mes.errors import Missing
from mes.records.context import site_context
from mes.signatures.pages import SigningPage

DETAILS = ("from_place", "to_place", "carrier", "seal", "logger", "temperature_min", "temperature_max", "remark")
OFFERED = ("to_manufacture", "at_manufacture", "at_centre", "to_bedside", "return")
"""Product is dispatched from the page of its release, which asks the gate first."""
LABELS = {
    "lot": "Lot", "check_code": "Check code", "coi": "Chain of identity", "product": "Product", "market": "Market", "container": "Container",
    "title": "What it is", "state": "State", "hand_over": "Hand-over", "words": "In words",
}  # fmt: skip


class HandOverPage(ReadByTwoPage, SigningPage):
    """A container changes hands."""

    title = "Hand over"

    def rule(self) -> rules.HandOverRule:
        kind = self.kwargs["kind"]
        if kind not in OFFERED:
            raise Missing("not_found", "There is no such hand-over here.")
        return rules.HAND_OVER_RULES[kind]

    def check_may_open(self) -> None:
        self.permission = self.rule().permission
        super().check_may_open()

    def meaning_code(self, **kwargs) -> str:
        return self.rule().meaning

    def container(self) -> Container:
        container = lots.container(self.kwargs["container_id"])
        if container.lot.number != self.kwargs["number"]:
            raise Missing("not_found", "There is no such container in this lot.")
        return container

    def what(self, number: str, container_id, kind: str):
        return queries.hand_over_subject(self.container(), kind)

    def summary(self, number: str, container_id, kind: str) -> dict:
        container = self.container()
        shown = band(lots.lot_by_number(number))
        rows = [
            {"label": LABELS[name], "value": CONTAINER_WORDS.get(text, text)}
            for name, text in queries.hand_over_content(container, kind).items()
            if name != "hand_over"
        ]
        return {
            "title": f"{HAND_OVERS[kind]}:",
            "lot": shown["lot"],
            "facts": shown["facts"],
            "rows": rows,
            "body": "batches/custody/_hand_over.html",
            "typed": self.typed,
            "asks_second_reader": self.asks_second_reader,
            "back_url": f"/lots/{number}/labels/",
            "back_label": "Back to the labels",
        }

    def sign(self, proof, number: str, container_id, kind: str):
        details = {name: self.request.POST.get(name, "") for name in DETAILS}
        scanned = code_in(self.request.POST, "scanned")
        with site_context(self.by.site_id):
            container = self.container()
        second = self.second_reader(container, scanned)
        return self.do(services.hand_over, container_id=container_id, kind=kind, scanned=scanned, proof=proof, typed_with=second, **details)

    def done_url(self, result, number: str, container_id, kind: str) -> str:
        return f"/lots/{number}/labels/"
