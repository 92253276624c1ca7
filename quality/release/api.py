"""Release over the API: the gate, decisions, certificates with their PDF, evidence, dispatch and use."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from batches.custody import queries as custody
from batches.lots.api import ReadByTwo
from batches.lots.models import Container
from mes.api.views import ServiceView
from mes.clock import record_now
from mes.errors import Missing
from mes.permissions import Permission as AuditPermission
from mes.records.kept import check_kept
from mes.signatures import ceremony
from mes.signatures.api import PreparingView, SigningView
from quality.permissions import Permission
from quality.release import evidence, evidence_file, integrity, queries, services
from quality.release.models import Certificate, ProductUse

STAGE = OpenApiParameter("stage", OpenApiTypes.STR, description="stage_1 or final; left out: the one that comes next.")


class LineOut(serializers.Serializer):
    """One condition of the release."""

    code = serializers.CharField()
    text = serializers.CharField()
    ok = serializers.BooleanField()
    pending = serializers.BooleanField()
    blocking = serializers.BooleanField(help_text="Whether it keeps the lot from being certified when it does not hold.")
    detail = serializers.CharField()


class GateOut(serializers.Serializer):
    """What still blocks the release of a lot."""

    lot = serializers.CharField()
    stage = serializers.CharField()
    open = serializers.BooleanField(help_text="Whether the lot could be certified in this stage now.")
    lines = LineOut(many=True)


class CertificateOut(serializers.Serializer):
    """A certificate as it was drawn."""

    number = serializers.CharField()
    stage = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the PDF's bytes.")
    content_digest = serializers.CharField(help_text="Of the signed content: the record digest it prints.")
    entries = serializers.IntegerField(help_text="Audit entries in its annex.")
    recorded_at = serializers.DateTimeField()
    valid = serializers.SerializerMethodField()
    why_not = serializers.SerializerMethodField(help_text="Why it no longer holds; empty when it does.")

    def get_valid(self, row: Certificate) -> bool:
        return not queries.why_not_valid(row.decision)

    def get_why_not(self, row: Certificate) -> str:
        return queries.why_not_valid(row.decision)


class EvidenceFileOut(serializers.Serializer):
    """That an evidence file was made."""

    entries = serializers.IntegerField(help_text="Entry of the lot's trail up to which it goes.")
    head = serializers.CharField(help_text="Hash of that entry.")
    checkpoint = serializers.IntegerField(help_text="Size of the site's log at the checkpoint that covers it.")
    size = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the file's bytes.")
    made_by = serializers.CharField(source="by.full_name")
    recorded_at = serializers.DateTimeField()


class Gate(ServiceView):
    """The gate of a lot, visible from its first day."""

    permission = Permission.READ_CERTIFICATE
    answers: ClassVar[dict] = {"GET": GateOut}
    parameters: ClassVar[dict] = {"GET": [STAGE]}

    def get(self, request, number):
        """Every condition with its result and what is behind it."""
        lot = queries.lot_by_number(number)
        stage = stage_of(request, lot)
        lines = queries.gate(lot, stage, record_now())
        return self.reply({"lot": lot.number, "stage": stage, "open": not queries.blocking(lines), "lines": lines})


def stage_of(request, lot) -> str:
    """The stage that is asked for, or the one that comes next."""
    return request.GET.get("stage") or queries.next_stage(lot)


class _OfLot(SigningView):
    permission = Permission.CERTIFY_LOT

    def found(self, number: str):
        with self.reading():
            return queries.lot_by_number(number)


class Certify(_OfLot):
    """Certify the lot: password and one-time code. `stage` in the query of both calls."""

    parameters: ClassVar[dict] = {"GET": [STAGE]}

    def stage(self, number: str) -> str:
        given = self.request.query_params.get("stage")
        if given not in queries.MEANINGS:
            raise Missing("unknown_stage", "Say the stage: stage_1 or final.", field="stage")
        return given

    def meaning_code(self, number):
        return queries.MEANINGS[self.stage(number)]

    def what(self, number):
        return queries.subject_of(queries.ground_of(queries.lot_by_number(number), self.stage(number), record_now()))

    def sign(self, proof, number):
        lot = self.found(number)
        services.certify(by=self.actor, lot_id=lot.pk, seen=lot.version, stage=self.stage(number), proof=proof)


class AssessIntegrity(_OfLot):
    """The first of the two signatures on what does not hold in the trail or the guards; `reason` is the assessment."""

    permission = Permission.ASSESS_DEVIATIONS
    meaning = "assessed_integrity"

    def what(self, number):
        lot = queries.lot_by_number(number)
        return integrity.assessment_subject(lot, integrity.assessable(lot))

    def with_reason(self, reason, number):
        lot = queries.lot_by_number(number)
        return integrity.assessment_subject(lot, integrity.assessable(lot), reason)

    def sign(self, proof, number):
        services.assess_integrity(by=self.actor, lot_id=self.found(number).pk, text=self.reason, proof=proof)


class ConfirmIntegrity(_OfLot):
    """The second signature, by another person who may certify: password and one-time code."""

    meaning = "confirmed_integrity"

    def what(self, number):
        lot = queries.lot_by_number(number)
        return integrity.confirmation_subject(lot, integrity.confirmable(lot))

    def sign(self, proof, number):
        services.confirm_integrity(by=self.actor, lot_id=self.found(number).pk, proof=proof)


class Reject(_OfLot):
    """Reject the lot, with a reason."""

    meaning = "rejected"

    def what(self, number):
        return queries.refusal_subject(queries.lot_by_number(number), "reject")

    def with_reason(self, reason, number):
        return queries.refusal_subject(queries.lot_by_number(number), "reject", reason)

    def sign(self, proof, number):
        lot = self.found(number)
        services.reject(by=self.actor, lot_id=lot.pk, seen=lot.version, reason=self.reason, proof=proof)


class Withdraw(_OfLot):
    """Withdraw the certification, with a reason."""

    meaning = "withdrawn"

    def what(self, number):
        return queries.refusal_subject(queries.lot_by_number(number), "withdraw")

    def with_reason(self, reason, number):
        return queries.refusal_subject(queries.lot_by_number(number), "withdraw", reason)

    def sign(self, proof, number):
        lot = self.found(number)
        services.withdraw(by=self.actor, lot_id=lot.pk, seen=lot.version, reason=self.reason, proof=proof)


class Certificates(ServiceView):
    """The certificates of a lot, oldest first; the last one that is valid counts."""

    permission = Permission.READ_CERTIFICATE
    answers: ClassVar[dict] = {"GET": CertificateOut(many=True)}

    def get(self, request, number):
        """Empty until the background job has drawn the first."""
        return self.reply(queries.certificates_of(queries.lot_by_number(number)))


class CertificatePdf(ServiceView):
    """One certificate as PDF, byte for byte as it was kept."""

    permission = Permission.READ_CERTIFICATE
    answers: ClassVar[dict] = {"GET": OpenApiTypes.BINARY}

    def get(self, request, number, certificate):
        """Its SHA-256 stands in the list of certificates and on the page that checks a printed one."""
        found = Certificate.objects.one(lot=queries.lot_by_number(number), number=certificate)
        answer = HttpResponse(check_kept(found.pdf, found.sha256, "This certificate"), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
        return answer


class Evidence(ServiceView):
    """Everything by which a stranger can check the lot's record: signed contents, signatures, the whole audit stream as bytes."""

    permission = AuditPermission.READ_AUDIT  # it holds the whole trail and every signed content, not the certificate alone
    answers: ClassVar[dict] = {"GET": OpenApiTypes.OBJECT}

    def get(self, request, number):
        """JSON; see docs for how it is checked without this server."""
        from rest_framework.response import Response

        return Response(evidence.evidence_of(queries.lot_by_number(number)))


class EvidenceFileView(ServiceView):
    """The evidence file of a lot: one zip with everything that is needed to check the record without server or database."""

    permission = AuditPermission.MAKE_EVIDENCE
    answers: ClassVar[dict] = {"GET": EvidenceFileOut(many=True), "POST": OpenApiTypes.BINARY}
    keyless = True  # every file is made anew and is kept nowhere here: two calls are two entries in the trail

    def get(self, request, number):
        """Those that were made, newest first: by whom, up to which entry, and the SHA-256 of the bytes."""
        return self.reply(evidence_file.made_of(queries.lot_by_number(number)))

    def post(self, request, number):
        """Makes one and answers with its bytes. That it was made stands in the lot's trail before it is handed over."""
        fact, content = evidence_file.evidence_file(self.actor, number)
        answer = HttpResponse(content, content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="{evidence_file.file_name(fact)}"'
        answer["Cache-Control"] = "no-store, private"
        return answer


class Dispatch(ReadByTwo, SigningView):
    """Hand a certified product over: `scanned`, `from_place`, `to_place`, `carrier`, `seal`, `logger` in the query of both calls.

    A typed identifier needs `second_username` and `second_secret` of a person who read it too.
    """

    permission = Permission.DISPATCH_PRODUCT
    meaning = "dispatched"
    fields = ("scanned", "from_place", "to_place", "carrier", "seal", "logger", "remark")

    def what(self, number):
        asked = self.request.query_params
        given = {name: asked.get(name, "") for name in self.fields}
        return custody.hand_over_subject(queries.bag_scanned(number, given["scanned"]), "dispatch", given)

    def sign(self, proof, number):
        given = {name: self.request.query_params.get(name, "") for name in self.fields}
        with self.reading():
            container = queries.bag_scanned(number, given["scanned"])
        services.dispatch(by=self.actor, container_id=container.pk, proof=proof, typed_with=self.second_reader(container, given["scanned"]), **given)


class UseFacts(serializers.Serializer):
    """What became of a container, with both identifiers as they were scanned."""

    scanned = serializers.CharField(max_length=200, help_text="The label of the container as scanned; typed in full it is counted.")
    coi = serializers.CharField(max_length=60, help_text="The patient's chain-of-identity code as scanned at the bedside; typed in full it is counted.")
    infused = serializers.BooleanField()
    started_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ended_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    volume = serializers.CharField(max_length=40, required=False, allow_blank=True, default="", help_text='In mL, as text: "98.0" or "98.0 mL".')
    reason_code = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class UseIn(UseFacts):
    """The same facts as were shown to both persons, and of each the intent that they began in their own session, with their secrets."""

    intent = serializers.UUIDField(help_text="Of the first person, from `…/use/first/`.")
    username = serializers.CharField(max_length=150)
    secret = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    code = serializers.CharField(
        max_length=12, required=False, allow_blank=True, default="", write_only=True,
        help_text="One-time code, from outside the controlled networks, of a signer who does not make this call.",
    )  # fmt: skip
    second_intent = serializers.UUIDField(help_text="Of the second person, from `…/use/second/` in the second person's session.")
    second_username = serializers.CharField(max_length=150)
    second_secret = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    second_code = serializers.CharField(max_length=12, required=False, allow_blank=True, default="", write_only=True)


class UseOut(serializers.Serializer):
    id = serializers.UUIDField()
    infused = serializers.BooleanField()
    container = serializers.CharField(source="container.identifier")
    first = serializers.CharField(source="first_signature.full_name")
    second = serializers.CharField(source="second_signature.full_name")
    recorded_at = serializers.DateTimeField()


def subject_of_use(number: str, scanned: str, coi: str, **facts) -> tuple[Container, ceremony.Subject, tuple[str, str]]:
    """The container, what both persons sign about it, and what each of them means. Called inside a read context."""
    container, typed = queries.bag_scanned(number, scanned), queries.identity_typed(scanned, coi)
    return container, queries.use_subject(container, queries.use_facts(**facts), typed=typed), queries.use_meanings(facts["infused"], typed)


class UseShown(PreparingView):
    """What one of two persons signs about a container, `first` or `second`: each asks in their own session, with the facts in the query string."""

    permission = Permission.RECORD_INFUSION

    def subject(self, number: str, which: str):
        if which not in queries.SIGNERS:
            raise Missing("not_found", "The two persons are first and second.")
        facts = UseFacts(data=self.request.query_params.dict())
        facts.is_valid(raise_exception=True)
        return subject_of_use(number, **facts.validated_data)

    def what(self, number: str, which: str):
        return self.subject(number, which)[1]

    def meaning_code(self, number: str, which: str) -> str:
        with self.reading():
            return self.subject(number, which)[2][queries.SIGNERS.index(which)]


class Use(ServiceView):
    """Infused, or not: one call with the intents of both persons, each begun in that person's own session on exactly this (`…/use/first/`, `…/use/second/`)."""

    permission = Permission.RECORD_INFUSION
    secret_fields = ("secret", "code", "second_secret", "second_code")
    asks: ClassVar[dict] = {"POST": UseIn}
    answers: ClassVar[dict] = {"POST": UseOut}

    def post(self, request, number):
        """Two signatures by two persons on the same content: identity of container and patient, times, volume or reason."""
        given = self.read()
        signers = [[given.pop(f"{prefix}{name}") for name in ("intent", "username", "secret", "code")] for prefix in ("", "second_")]
        with self.reading():
            container = queries.bag_scanned(number, given["scanned"])
        first, second = (
            ceremony.authenticate(by=self.actor, intent_id=intent, username=username, secret=secret, code=code, own=True)
            for intent, username, secret, code in signers
        )
        made = services.record_use(by=self.actor, container_id=container.pk, first=first, second=second, **given)
        with self.reading():
            return self.reply(ProductUse.objects.select_related("container", "first_signature", "second_signature").one(pk=made.pk))


api_urls = [
    path("lots/<str:number>/gate/", Gate.as_view()),
    path("lots/<str:number>/certify/", Certify.as_view()),
    path("lots/<str:number>/assess-trail/", AssessIntegrity.as_view()),
    path("lots/<str:number>/confirm-trail/", ConfirmIntegrity.as_view()),
    path("lots/<str:number>/reject/", Reject.as_view()),
    path("lots/<str:number>/withdraw/", Withdraw.as_view()),
    path("lots/<str:number>/certificates/", Certificates.as_view()),
    path("lots/<str:number>/certificates/<str:certificate>/pdf/", CertificatePdf.as_view()),
    path("lots/<str:number>/evidence/", Evidence.as_view()),
    path("lots/<str:number>/evidence-file/", EvidenceFileView.as_view()),
    path("lots/<str:number>/dispatch/", Dispatch.as_view()),
    path("lots/<str:number>/use/", Use.as_view()),
    path("lots/<str:number>/use/<slug:which>/", UseShown.as_view()),
]
