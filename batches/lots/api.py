"""Lots over the API: order, read, starting material, holds. The same services and refusals as on the pages."""

from __future__ import annotations

from typing import ClassVar

from django.urls import reverse
from rest_framework import serializers
from rest_framework.response import Response

from batches.lots import queries, services
from batches.lots.models import Container, Donation
from batches.lots.rules import MARKETS
from batches.lots.states import LOT_WORDS
from batches.lots.views.second_reader import prove
from batches.lots.views.starting import donation_of
from batches.permissions import Permission
from batches.recipes.queries import version_named
from batches.subjects.identity import read_identity_fields
from batches.subjects.services import enter_patient
from mes.api.paging import PARAMETERS, page, pages_of
from mes.api.views import ServiceView
from mes.errors import Missing
from mes.signatures import ceremony
from mes.signatures.api import SigningView, SignRequest

SECOND = ("second_username", "second_secret", "second_code")


class SecondReaderIn(serializers.Serializer):
    """Who read a typed identifier too; empty where it was scanned."""

    second_username = serializers.CharField(
        max_length=150, required=False, allow_blank=True, default="", help_text="Of a second person who read an identifier that was typed."
    )
    second_secret = serializers.CharField(max_length=200, required=False, allow_blank=True, default="", trim_whitespace=False, write_only=True)
    second_code = serializers.CharField(
        max_length=12, required=False, allow_blank=True, default="", write_only=True, help_text="Their one-time code, from outside the controlled networks."
    )


class SignReadByTwo(SecondReaderIn, SignRequest):
    """The signer's secrets and, for a typed identifier, those of the second person."""


class ReadByTwo(SigningView):
    """A signed act of the API by scan, or by a typed identifier with a second person."""

    secret_fields = (*SigningView.secret_fields, *SECOND[1:])
    asks: ClassVar[dict] = {"POST": SignReadByTwo}

    def second_reader(self, record: Container | Donation, scanned: str) -> ceremony.Proof | None:
        given = self.read()
        return prove(self.actor, record, scanned, *(given[name] for name in SECOND))


class PatientIn(serializers.Serializer):
    """The patient's identity: into the vault, and never given back."""

    family_name = serializers.CharField(max_length=120, write_only=True)
    given_name = serializers.CharField(max_length=120, write_only=True)
    born = serializers.CharField(max_length=20, write_only=True, help_text="Date of birth, YYYY-MM-DD.")
    hospital_number = serializers.CharField(max_length=120, write_only=True, help_text="The patient's number at the treatment centre.")
    namesake = serializers.BooleanField(default=False, help_text="A known patient with this name and date of birth is somebody else.")


class OrderIn(serializers.Serializer):
    patient = PatientIn()
    recipe = serializers.CharField(max_length=60, help_text="Code of the master recipe.")
    recipe_version = serializers.CharField(max_length=30, help_text="Label of its effective version.")
    market = serializers.ChoiceField(choices=sorted(MARKETS))
    cohort = serializers.CharField(max_length=40, required=False, allow_blank=True, default="", help_text="May be left out when the recipe has one.")
    treatment_centre = serializers.CharField(max_length=120)
    physician_name = serializers.CharField(max_length=120)
    physician_email = serializers.CharField(max_length=200)
    dins = serializers.ListField(child=serializers.CharField(max_length=40), help_text="Donation numbers with their check characters.")
    therapy_event = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", help_text="Chain-of-identity identifier of an event this lot joins."
    )
    demo = serializers.BooleanField(default=False)


class DonationOut(serializers.Serializer):
    din = serializers.CharField()
    state = serializers.CharField()
    version = serializers.IntegerField(help_text="Send it back as `seen`.")
    collected_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)


class ContainerOut(serializers.Serializer):
    id = serializers.UUIDField()
    code = serializers.CharField()
    serial = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.CharField()
    identifier = serializers.CharField(help_text="The full identifier that a scan of its label gives.")
    state = serializers.CharField()
    volume = serializers.CharField(source="volume_text", allow_blank=True)


class LotLine(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField()
    check_code = serializers.CharField()
    product = serializers.CharField()
    state = serializers.CharField()
    version = serializers.IntegerField(help_text="Send it back as `seen`.")
    coi = serializers.CharField(source="therapy_event.coi", help_text="Chain-of-identity identifier.")
    subject = serializers.CharField(source="therapy_event.patient.pseudonym", help_text="The patient's pseudonym.")
    market = serializers.CharField()
    cohort = serializers.CharField(allow_blank=True)
    recipe = serializers.CharField(source="recipe_version.master.code")
    recipe_version = serializers.CharField(source="recipe_version.label")
    ordered_at = serializers.DateTimeField(source="recorded_at")
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    demo = serializers.BooleanField()


class LotOut(LotLine):
    """A lot with its identity chain. The patient is named by pseudonym alone."""

    state_words = serializers.SerializerMethodField()
    on_hold = serializers.SerializerMethodField()
    treatment_centre = serializers.CharField(source="therapy_event.treatment_centre")
    donations = serializers.SerializerMethodField()
    containers = serializers.SerializerMethodField()

    def get_state_words(self, lot) -> str:
        return LOT_WORDS[lot.state]

    def get_on_hold(self, lot) -> bool:
        return queries.open_hold(lot) is not None

    def get_donations(self, lot) -> list[dict]:
        return DonationOut(queries.donations_of(lot), many=True).data

    def get_containers(self, lot) -> list[dict]:
        return ContainerOut(queries.containers_of(lot), many=True).data


class LotsView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.ORDER_LOT}
    asks = {"POST": OrderIn}
    answers = {"GET": pages_of(LotLine), "POST": LotOut}
    parameters = {"GET": PARAMETERS}

    def get(self, request):
        """Lots of this site, newest first."""
        return Response(page(request, queries.lot_rows()).data(LotLine))

    def post(self, request):
        """Order a lot. The patient goes into the vault, or is found there; two deeds, the second refused leaves no lot."""
        given = self.read()
        patient = dict(given.pop("patient"))
        namesake = patient.pop("namesake")
        coi, recipe, label = given.pop("therapy_event"), given.pop("recipe"), given.pop("recipe_version")
        with self.reading():
            version = version_named(recipe, label)
            event = queries.event_by_coi(coi) if coi else None
        entered = enter_patient(by=self.actor, identity=read_identity_fields(**patient), namesake=namesake)
        lot = services.order_lot(by=self.actor, patient_id=entered.pk, recipe_version_id=version.pk, therapy_event_id=event.pk if event else None, **given)
        with self.reading():
            return self.reply(queries.lot(lot.pk), location=reverse("api:lot", kwargs={"number": lot.number}))


class LotView(ServiceView):
    permission = Permission.READ_LOTS
    answers = {"GET": LotOut}

    def get(self, request, number: str):
        """One lot with donations and containers."""
        return self.reply(queries.lot_by_number(number))


class DinIn(serializers.Serializer):
    din = serializers.CharField(max_length=40, help_text="Donation number with its check character.")


class DonationsView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.ORDER_LOT}
    asks = {"POST": DinIn}
    answers = {"GET": DonationOut(many=True), "POST": DonationOut}

    def get(self, request, number: str):
        """The donations that feed a lot."""
        return self.reply(queries.donations_of(queries.lot_by_number(number)))

    def post(self, request, number: str):
        """A further donation feeds the lot."""
        din = self.read()["din"]
        with self.reading():
            lot = queries.lot_by_number(number)
        return self.reply(services.add_donation(by=self.actor, lot_id=lot.pk, din=din))


class CollectIn(SecondReaderIn):
    seen = serializers.IntegerField(help_text="The donation's version as it was read.")
    scanned = serializers.CharField(max_length=500, help_text="What was scanned on the bag, whole.")
    collected_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="When it was collected, if earlier.")


class ReceiveIn(SecondReaderIn):
    seen = serializers.IntegerField(help_text="The donation's version as it was read.")
    scanned = serializers.CharField(max_length=500, help_text="What was scanned on the bag, whole.")


class CollectView(ServiceView):
    permission = Permission.RECORD_COLLECTION
    secret_fields = SECOND[1:]
    created = False
    asks = {"POST": CollectIn}
    answers = {"POST": DonationOut}

    def post(self, request, number: str, din: str):
        """The donation was collected; its bag was scanned."""
        given = self.read()
        with self.reading():
            donation = donation_of(number, din)
        second = prove(self.actor, donation, given["scanned"], *(given.pop(name) for name in SECOND))
        return self.reply(services.collect_donation(by=self.actor, donation_id=donation.pk, typed_with=second, **given))


class ReceiveView(ServiceView):
    permission = Permission.RECEIVE_STARTING_MATERIAL
    secret_fields = SECOND[1:]
    created = False
    asks = {"POST": ReceiveIn}
    answers = {"POST": DonationOut}

    def post(self, request, number: str, din: str):
        """The donation arrived; its bag was scanned."""
        given = self.read()
        with self.reading():
            donation = donation_of(number, din)
        second = prove(self.actor, donation, given["scanned"], *(given.pop(name) for name in SECOND))
        return self.reply(services.receive_donation(by=self.actor, donation_id=donation.pk, typed_with=second, **given))


class DecideDonationSign(SigningView):
    """QA accepts (`accept`) or rejects (`reject`) a donation."""

    permission, meaning = Permission.DECIDE_STARTING_MATERIAL, "accepted_starting_material"

    def what(self, number: str, din: str, decision: str):
        return queries.decision_subject(donation_of(number, din), self.accepts(decision))

    def with_reason(self, reason: str, number: str, din: str, decision: str):
        return queries.decision_subject(donation_of(number, din), self.accepts(decision), reason)

    def accepts(self, decision: str) -> bool:
        if decision not in {"accept", "reject"}:
            raise Missing("not_found", "The decision is accept or reject.")
        return decision == "accept"

    def sign(self, proof, number: str, din: str, decision: str):
        with self.reading():
            donation = donation_of(number, din)
        return services.decide_donation(
            by=self.actor, donation_id=donation.pk, seen=donation.version, accept=self.accepts(decision), reason=self.reason, proof=proof
        )


class HoldSign(SigningView):
    """Put a lot on hold."""

    permission, meaning = Permission.HOLD_LOT, "placed_on_hold"

    def what(self, number: str):
        return queries.course_subject(queries.lot_by_number(number), "place on hold")

    def with_reason(self, reason: str, number: str):
        return queries.course_subject(queries.lot_by_number(number), "place on hold", reason=reason)

    def sign(self, proof, number: str):
        with self.reading():
            lot = queries.lot_by_number(number)
        return services.place_hold(by=self.actor, lot_id=lot.pk, reason=self.reason, proof=proof)


class ResumeSign(SigningView):
    """Decide that a held lot goes on."""

    permission, meaning = Permission.RESUME_LOT, "resumed"

    def hold(self, number: str):
        hold = queries.open_hold(queries.lot_by_number(number))
        if hold is None:
            raise Missing("no_hold", "This lot is not on hold.")
        return hold

    def what(self, number: str):
        return queries.hold_subject(self.hold(number))

    def with_reason(self, reason: str, number: str):
        return queries.hold_subject(self.hold(number), reason)

    def sign(self, proof, number: str):
        with self.reading():
            hold = self.hold(number)
        return services.end_hold(by=self.actor, hold_id=hold.pk, seen=hold.version, reason=self.reason, proof=proof)


class TerminateSign(SigningView):
    """End a lot before release, for a reason code."""

    permission, meaning = Permission.TERMINATE_LOT, "terminated"

    def what(self, number: str, code: str):
        return queries.course_subject(queries.lot_by_number(number), "terminate", code)

    def with_reason(self, reason: str, number: str, code: str):
        return queries.course_subject(queries.lot_by_number(number), "terminate", code, reason=reason)

    def sign(self, proof, number: str, code: str):
        with self.reading():
            lot = queries.lot_by_number(number)
        return services.terminate_lot(by=self.actor, lot_id=lot.pk, seen=lot.version, reason_code=code, reason=self.reason, proof=proof)
