"""Hand-overs by scan and signature: the page of each kind."""

from __future__ import annotations

from django.http import HttpResponse

from batches.custody import queries, rules, services
from batches.custody.forms import HandOverForm
from batches.custody.temperatures import limits_words
from batches.custody.wording import HAND_OVERS
from batches.lots import queries as lots
from batches.lots.band import band
from batches.lots.identifiers import parse_scan
from batches.lots.models import Container
from batches.lots.rules import check_same_container
from batches.lots.states import CONTAINER_WORDS
from batches.lots.views.scanned import MARK, code_in
from batches.lots.views.second_reader import ReadByTwoPage
from batches.recipes.queries import document
from mes.errors import Missing, WrongScan
from mes.records.context import site_context
from mes.records.door import record_refusal
from mes.signatures.pages import SigningPage

OFFERED = ("to_manufacture", "at_manufacture", "at_centre", "to_bedside", "return")
"""Product is dispatched from the page of its release, which asks the gate first."""
LABELS = {
    "lot": "Lot", "check_code": "Check code", "coi": "Chain of identity", "product": "Product", "market": "Market", "container": "Container",
    "title": "What it is", "state": "State", "hand_over": "Hand-over", "words": "In words",
    "from_place": "From", "to_place": "To", "carrier": "Courier", "seal": "Seal", "logger": "Temperature logger", "temperature_min": "Lowest temperature",
    "temperature_max": "Highest temperature", "temperatures": "Temperatures", "remark": "Remark",
}  # fmt: skip


class HandOverPage(ReadByTwoPage, SigningPage):
    """A container changes hands: first what is handed over from where to where, then the signature under exactly that. COI-04; 21 CFR 11.70."""

    title = "Hand over"
    carried = ("scanned", *queries.HAND_OVER_DETAILS, MARK)
    asking: bool = False
    """Whether the form is shown, not the signature."""

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
        return queries.hand_over_subject(self.container(), kind, self.details())

    def details(self) -> dict[str, str]:
        return {name: self.given(name) for name in queries.HAND_OVER_DETAILS}

    def get(self, request, **kwargs) -> HttpResponse:
        self.asking = True
        return self.show()

    def post(self, request, **kwargs) -> HttpResponse:
        form = HandOverForm(request.POST)
        self.asking = not form.is_valid()
        if self.asking:
            return self.show(422)
        if "intent" not in request.POST:
            self.asking = True
            self.check_scanned()
            with site_context(self.by.site_id):
                queries.temperatures_of(self.container(), self.kwargs["kind"], self.details())
            self.asking = False
        return super().post(request, **kwargs)

    def check_scanned(self) -> None:
        """The right container is in hand before anybody is asked to sign. A wrong one is kept among the lot's refused identities."""
        try:
            with site_context(self.by.site_id):
                check_same_container(self.container(), lots.container_of(parse_scan(self.given("scanned"))))
        except WrongScan as wrong:
            record_refusal(self.by, wrong, "hand_over")
            raise

    def show(self, status: int = 200, **extra) -> HttpResponse:
        if not self.asking:
            return super().show(status, **extra)
        self.template_name = self.fragment_name = "batches/custody/hand_over.html"
        with site_context(self.by.site_id):
            container, kind = self.container(), self.kwargs["kind"]
            left = queries.hand_over_before(container, kind)
            more = {"limits": limits_words(document(container.lot.recipe_version), kind), "left": left}
            form = (
                HandOverForm(self.request.POST, **more)
                if self.request.method == "POST"
                else HandOverForm(initial=queries.known_before(container, kind), **more)
            )
            shown = band(lots.lot_by_number(self.kwargs["number"])) | {
                "heading": f"{HAND_OVERS[kind]}: {container.title}",
                "lead": container.identifier,
                "form": form,
                "ok": "Go to the signature",
                "back_url": f"/lots/{self.kwargs['number']}/labels/",
                "back_label": "Back to the labels",
            }
            return self.draw(shown | extra, status)

    def summary(self, number: str, container_id, kind: str) -> dict:
        container = self.container()
        shown, beside = band(lots.lot_by_number(number)), self.beside(container, kind)
        rows = [
            {"label": LABELS[name], "value": CONTAINER_WORDS.get(text, text), **beside.get(name, {})}
            for name, text in queries.hand_over_content(container, kind, self.details()).items()
            if name != "hand_over" and (text or name not in queries.HAND_OVER_DETAILS)
        ]
        return {
            "title": f"{HAND_OVERS[kind]}:",
            "lot": shown["lot"],
            "facts": shown["facts"],
            "rows": rows,
            "body": "batches/lots/_second_reader.html",
            "asks_second_reader": self.asks_second_reader,
            "back_url": self.request.path,
            "back_label": "Back",
        }

    def beside(self, container: Container, kind: str) -> dict[str, dict]:
        """What is said beside a detail before it is signed: that a seal or logger is another one, that a temperature passes its limit."""
        details, left = self.details(), queries.hand_over_before(container, kind)
        said: dict[str, dict] = {}
        for name in ("seal", "logger"):
            before = getattr(left, name, "") if left is not None else ""
            if before and details[name] and details[name] != before:
                said[name] = {"state": "warn", "word": "Another one", "sub": f"it was handed over with {before}"}
        if queries.temperatures_of(container, kind, details).level == "action":
            said["temperatures"] = {"state": "alarm", "word": "Outside its limits", "sub": "a deviation opens with your signature"}
        return said

    def sign(self, proof, number: str, container_id, kind: str):
        scanned = code_in(self.request.POST, "scanned")
        with site_context(self.by.site_id):
            container = self.container()
        second = self.second_reader(container, scanned)
        return self.do(services.hand_over, container_id=container_id, kind=kind, scanned=scanned, proof=proof, typed_with=second, **self.details())

    def done_url(self, result, number: str, container_id, kind: str) -> str:
        return f"/lots/{number}/labels/"
