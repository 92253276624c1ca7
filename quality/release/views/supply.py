"""Pages on what becomes of a certified product: dispatch, and infusion or not with two persons."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from batches.custody import queries as custody
from batches.custody.wording import HAND_OVERS
from batches.lots.band import band
from batches.lots.models import Lot
from batches.lots.states import CONTAINER_WORDS
from batches.lots.views.scanned import MARK
from batches.lots.views.second_reader import ReadByTwoPage
from batches.recipes.queries import document
from mes.clock import moment_words, record_now
from mes.errors import RuleBroken, UnreadableInput
from mes.people import second_factor
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import SigningIntent
from mes.signatures.pages import SigningPage
from mes.web.pages import Page
from quality.deviations.queries import open_deviations
from quality.permissions import Permission
from quality.release import queries, rules, services
from quality.release.expiry import expiry_of
from quality.release.forms import DispatchForm, UseForm


def may_leave(lot) -> str:
    """Why the product may not go on now, in words; "" when it may."""
    try:
        rules.check_may_leave(lot, queries.standing_decision(lot), record_now())
    except RuleBroken as refused:
        return refused.sentence
    return ""


def bags(lot) -> list[dict]:
    """The final containers with their state in words."""
    return [
        {"title": each.title, "identifier": each.identifier, "state_words": CONTAINER_WORDS[each.state], "is_gone": each.state in ("infused", "discarded")}
        for each in queries.final_bags(lot)
    ]


def product_of(lot) -> list[tuple[str, str, str]]:
    """What whoever gives the product has to know of it, and the word of what stands out ("" for nothing).

    Until when, volume, dose, storage, how warm it was on its way, which deviations are open.
    """
    ends = expiry_of(lot)
    lines = [line for line in custody.product_lines(lot, document(lot.recipe_version)) if line[0] != "Expiry"]
    arrived = [each for each in custody.hand_overs_of(lot) if each.kind == "at_centre" and each.temperature_words]
    first = [("Use before", moment_words(ends, lot.site.time_zone), "")] if ends else []
    way = [(f"On the way, {each.container.title}", each.temperature_words, "Past its limit" if each.temperature_level == "action" else "") for each in arrived]
    still = [("Open deviation", f"{each.number}, {each.classification or 'not classified'}: {each.title}", "Open") for each in open_deviations(lot.pk)]
    return [*first, *((words, text, "") for words, text in lines), *way, *still]


class DispatchPage(Page):
    """`/lots/<number>/dispatch/`: which container goes where, before it is signed."""

    permission = Permission.DISPATCH_PRODUCT
    template_name = "quality/release/dispatch.html"
    title = "Dispatch"

    def read(self, number: str) -> dict:
        lot = queries.lot_by_number(number)
        asked = self.request.POST if self.request.method == "POST" else None
        starts = {"from_place": lot.site.name, "to_place": lot.therapy_event.treatment_centre}
        return band(lot) | {
            "page_title": f"Dispatch {number}",
            "the_lot": lot,
            "form": DispatchForm(asked, initial=starts) if asked else DispatchForm(initial=starts),
            "why_not": may_leave(lot),
            "containers": bags(lot),
            "hand_overs": [(each, HAND_OVERS[each.kind]) for each in custody.hand_overs_of(lot) if each.container.kind == "final_bag"],
        }

    def post(self, request, number: str) -> HttpResponse:
        form = DispatchForm(request.POST)
        if not form.is_valid():
            return self.show(422)
        with site_context(self.by.site_id):
            queries.bag_scanned(number, form.cleaned_data["scanned"])
        signing = SignDispatchPage()
        signing.setup(request, number=number)
        return signing.show()


class SignDispatchPage(ReadByTwoPage, SigningPage):
    """The hand-over for transport, signed at the bench."""

    permission = Permission.DISPATCH_PRODUCT
    meaning = "dispatched"
    title = "Dispatch"
    carried = (*DispatchForm.base_fields, MARK)

    def details(self) -> dict:
        form = DispatchForm(self.request.POST)
        if not form.is_valid():
            raise UnreadableInput("dispatch_unread", "Something of the dispatch is missing. Fill it in again.", field=next(iter(form.errors)))
        return form.cleaned_data

    def what(self, number: str):
        given = self.details()
        return custody.hand_over_subject(queries.bag_scanned(number, given["scanned"]), "dispatch", given)

    def summary(self, number: str) -> dict:
        given = self.details()
        bag = queries.bag_scanned(number, given["scanned"])
        words = {"to_place": "To", "from_place": "From", "carrier": "Courier", "seal": "Seal", "logger": "Logger", "remark": "Remark"}
        rows = [{"label": bag.title, "value": bag.identifier}, *({"label": words[key], "value": given[key]} for key in words if given[key])]
        back = reverse("quality:release:dispatch", kwargs={"number": number})
        return band(bag.lot) | {
            "page_title": f"Dispatch {number}",
            "title": "Dispatch lot",
            "rows": rows,
            "back_url": back,
            "back_label": "Back",
            "action": reverse("quality:release:dispatch_sign", kwargs={"number": number}),
            "body": "batches/lots/_second_reader.html",
            "asks_second_reader": self.asks_second_reader,
            "ok": "Sign",
        }

    def sign(self, proof, number: str):
        given = self.details()
        with site_context(self.by.site_id):
            bag = queries.bag_scanned(number, given["scanned"])
        second = self.second_reader(bag, given["scanned"])
        return self.do(services.dispatch, container_id=bag.pk, proof=proof, typed_with=second, **given)

    def done_url(self, result, number: str) -> str:
        return reverse("quality:release:dispatch", kwargs={"number": number})


class UsePage(Page):
    """`/lots/<number>/infusion/`: first what happened, then two persons sign exactly that.

    What is drawn for them and the two intents that are bound to it come from one snapshot: a change until they sign refuses. 21 CFR 11.70.
    """

    permission = Permission.RECORD_INFUSION
    template_name = "quality/release/infusion.html"
    title = "Infusion"
    secret_fields = Page.secret_fields | {"first_secret", "second_secret", "first_code", "second_code", "first_intent", "second_intent"}
    at: str = ""
    """Whose signature was refused: first or second."""

    def reading(self):
        return site_context(self.by.site_id, writable=True, snapshot=True)

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.request.site.time_zone)

    def form(self) -> UseForm | None:
        """What was typed, with its times in the site's zone; None before anything was."""
        given = self.request.POST
        if "infused" not in given:
            return None
        with timezone.override(self.zone()):
            form = UseForm(given)
            form.is_valid()
        return form

    def read(self, number: str) -> dict:
        lot = queries.lot_by_number(number)
        form = self.form()
        shown = band(lot) | {
            "page_title": f"Infusion {number}",
            "the_lot": lot,
            "form": form or UseForm(),
            "now_here": record_now().astimezone(self.zone()).replace(tzinfo=None).isoformat(timespec="seconds"),
            "zone_here": f"{record_now().astimezone(self.zone()):%Z}",
            "why_not": may_leave(lot),
            "uses": queries.uses_of(lot),
            "containers": bags(lot),
            "product": product_of(lot),
        }
        shown["none_left"] = bool(shown["containers"]) and all(each["is_gone"] for each in shown["containers"])
        if form is None or not form.is_valid():
            return shown
        try:
            return shown | self.to_sign(lot, form)
        except RuleBroken as broken:
            if self.refusal is None or self.refusal.code != broken.code:
                raise
            return shown  # refused as it was the first time: the form stands there with the sentence and what was typed

    def to_sign(self, lot: Lot, form: UseForm) -> dict:
        """What both sign, and their intents. Raises RuleBroken where it may not be signed."""
        codes, number = form.codes(), lot.number
        bag = queries.bag_scanned(number, codes["scanned"])
        typed = queries.identity_typed(**codes)
        how = {which: queries.TYPED if which in typed else queries.SCANNED for which in queries.BOTH}
        rules.check_identity(bag, **codes)
        infused = form.facts()["infused"]
        if infused:
            timed = {name: form.facts()[name] for name in ("started_at", "ended_at", "volume", "reason")}
            rules.check_infusion(bag, standing=queries.standing_decision(lot), at=record_now(), **timed)
        labels = {
            "infused": "Infused", "started_at": "Started", "ended_at": "Ended", "volume": "Volume infused", "reason_words": "Why not", "reason": "In words",
        }  # fmt: skip
        facts = queries.use_facts(**form.facts())
        what = queries.use_subject(bag, facts, typed=typed)
        facts |= {"volume": queries.volume_words(facts.get("volume", ""))}
        held = queries.volume_held(bag)
        beside = {"volume": f"of {held} in the container" if held else queries.held_words(bag)}
        times = {key: moment_words(at, self.zone()) for key in ("started_at", "ended_at") if (at := form.facts()[key])}
        meanings = queries.use_meanings(infused, typed)
        told = self.refusal is None or self.refusal.code == "stale_screen"
        before = None if told else SigningIntent.objects.filter(pk=self.intent_id("first")).first()
        intents = [ceremony.prepare(self.by, what, meaning) for meaning in meanings]
        return {
            "to_sign": True,
            "factor_of_others": second_factor.is_asked_of_others(self.by),
            "typed_fields": {name: self.request.POST.get(name, "") for name in (*form.fields, MARK)},
            "intents": {f"{which}_intent": intent.pk for which, intent in zip(queries.SIGNERS, intents, strict=True)},
            "at": self.at,
            "changed": before is not None and bytes(before.payload_digest) != bytes(intents[0].payload_digest),
            "rows": [
                {"label": bag.title, "value": bag.identifier, "sub": f"{how['container']}, {CONTAINER_WORDS[bag.state].lower()}"},
                {"label": "Chain of identity", "value": lot.therapy_event.coi, "sub": f"the patient's, {how['patient']}"},
                *({"label": labels[key], "value": value, "sub": beside.get(key, "")} for key, value in (facts | times).items() if key in labels and value),
            ],
            "first_meaning": meaning_of(meanings[0]).text,
            "second_meaning": meaning_of(meanings[1]).text,
            "ok": "Sign: infused" if infused else "Sign: not infused",
        }

    def post(self, request, number: str) -> HttpResponse:
        form = self.form()
        if form is None or not form.is_valid():
            return self.show(422)
        if "first_who" not in request.POST:
            return self.show()
        facts = form.facts()
        with site_context(self.by.site_id):
            bag = queries.bag_scanned(number, form.codes()["scanned"])
        first, second = (self.prove(which) for which in queries.SIGNERS)
        self.do(services.record_use, container_id=bag.pk, first=first, second=second, **form.codes(), **facts)
        self.say("Recorded, signed by two persons.")
        return self.done(reverse("quality:release:infusion", kwargs={"number": number}))

    def intent_id(self, which: str) -> str | None:
        try:
            return str(uuid.UUID(self.request.POST.get(f"{which}_intent", "")))
        except ValueError:
            return None

    def prove(self, which: str) -> ceremony.Proof:
        """One person's full ceremony, against the intent that was bound to what the page showed."""
        given = self.request.POST
        try:
            return ceremony.authenticate(
                by=self.by, intent_id=self.intent_id(which), username=given.get(f"{which}_who", ""), secret=given.get(f"{which}_secret", ""),
                code=given.get(f"{which}_code", ""),
            )  # fmt: skip
        except RuleBroken:
            self.at = which
            raise
