"""Samples and results over the API. A result is judged on the server; a verdict that is sent is not read (QC-01)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.urls import path
from rest_framework import serializers

from batches.permissions import Permission as BatchPermission
from mes.api.views import ServiceView
from mes.errors import UnreadableInput
from mes.signatures.api import SigningView
from quality.permissions import Permission
from quality.samples import queries, services
from quality.samples.rules import EVIDENCE


class ValueAsText(serializers.CharField):
    """A value as text: "97.9", "<=0.5", "sterile". A JSON number may stand here as well: the parser keeps its digits."""

    def to_internal_value(self, data):
        if isinstance(data, Decimal):
            return super().to_internal_value(str(data))
        if isinstance(data, bool):
            raise UnreadableInput("not_a_number", "A result is a number or a text, not true or false.", field=self.field_name or "value")
        return super().to_internal_value(data)


class SampleOut(serializers.Serializer):
    """A sample of a lot."""

    id = serializers.UUIDField()
    lot = serializers.CharField(source="lot.number")
    code = serializers.CharField()
    title = serializers.CharField()
    identifier = serializers.CharField()
    step = serializers.CharField(source="step_run.key", default="")
    timing = serializers.CharField()
    tests = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()
    drawn_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField(help_text="Send it back with an act on this sample.")


class DrawSample(serializers.Serializer):
    version = serializers.IntegerField(help_text="The sample's version as last read.")


class ReceiveSample(DrawSample):
    scanned = serializers.CharField(max_length=200, help_text="What was scanned from the label; it has to be the sample's identifier.")


class ResultIn(serializers.Serializer):
    """A result as reported."""

    criterion = serializers.CharField(max_length=60, help_text="Code of the criterion in the lot's specification.")
    value = ValueAsText(max_length=2000, help_text='As reported: "97.9", "<=0.5", "absent".')
    unit = serializers.CharField(max_length=60, required=False, allow_blank=True, default="", help_text="Of a number: required, and that of the criterion.")
    method_version = serializers.CharField(max_length=40, required=False, allow_blank=True, default="", help_text="Another one than specified does not count.")
    tested_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="When the test was done; now when left out.")
    sample = serializers.CharField(
        max_length=80, required=False, allow_blank=True, default="", help_text="Identifier of the sample; the criterion's own when left out."
    )
    kind = serializers.ChoiceField(choices=["final", "interim"], required=False, default="final")
    interim_day = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="Of an interim reading: days from drawing.")
    evidence = serializers.ChoiceField(choices=EVIDENCE, required=False, default="measured", help_text="Anything but measured in demo lots only.")
    evidence_source = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class NotTestedIn(serializers.Serializer):
    criterion = serializers.CharField(max_length=60)
    reason = serializers.CharField(max_length=2000)


class ResultOut(serializers.Serializer):
    """A recorded result with the verdict it got."""

    id = serializers.UUIDField()
    criterion = serializers.CharField()
    kind = serializers.CharField()
    interim_day = serializers.IntegerField(allow_null=True)
    value = serializers.CharField(source="value_text")
    unit = serializers.CharField()
    verdict = serializers.CharField()
    compared = serializers.CharField(source="rounded", help_text="The value after the rounding rule.")
    rule = serializers.CharField()
    sentence = serializers.CharField()
    specification = serializers.CharField(source="specification_version.specification.code")
    specification_version = serializers.CharField(source="specification_version.label")
    method_version = serializers.CharField()
    tested_at = serializers.DateTimeField(allow_null=True)
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.CharField(source="by.full_name")
    evidence = serializers.CharField()
    evidence_source = serializers.CharField()
    corrects = serializers.UUIDField(source="supersedes_id", allow_null=True)
    reason = serializers.CharField()
    deviation = serializers.SerializerMethodField(help_text="Number of the deviation that answers it; empty without.")

    def get_deviation(self, result) -> str:
        return result.deviation.number if hasattr(result, "deviation") else ""


class LineOut(serializers.Serializer):
    """One criterion of the lot's specification and what is known about it."""

    criterion = serializers.CharField(source="criterion.code")
    name = serializers.CharField(source="criterion.name")
    method = serializers.CharField(source="criterion.method")
    method_version = serializers.CharField(source="criterion.method_version")
    unit = serializers.CharField(source="criterion.unit", allow_null=True)
    timing = serializers.CharField(source="criterion.timing")
    group = serializers.CharField(source="criterion.any_of", allow_null=True)
    rule = serializers.CharField()
    sample = serializers.CharField(source="sample.identifier", default="")
    verdict = serializers.CharField()
    standing = serializers.CharField(help_text="met, reported, pending_after_release, missing, failed or not_judged: what it is worth to a release.")
    due = serializers.DateTimeField(allow_null=True)
    reviewed = serializers.BooleanField()
    recorded = serializers.CharField(help_text="The batch record's value of the same quantity.")
    result = ResultOut(allow_null=True)
    interim_readings = ResultOut(source="interims", many=True)


class LotSamples(ServiceView):
    """The samples of a lot."""

    permission = BatchPermission.READ_RECORD
    answers: ClassVar[dict] = {"GET": SampleOut(many=True)}

    def get(self, request, number):
        """In the order of the steps that draw them."""
        return self.reply(queries.samples_of(queries.lot_by_number(number)))


class LotResults(ServiceView):
    """Results against specification, and the recording of one."""

    permissions: ClassVar[dict] = {"GET": BatchPermission.READ_RECORD, "POST": Permission.RECORD_RESULTS}
    asks: ClassVar[dict] = {"POST": ResultIn}
    answers: ClassVar[dict] = {"GET": LineOut(many=True), "POST": ResultOut}

    def get(self, request, number):
        """Every criterion of the specification version that judges the lot."""
        return self.reply(queries.table(queries.lot_by_number(number)))

    def post(self, request, number):
        """Record a result. Out of specification opens a deviation at once."""
        given = self.read()
        with self.reading():
            lot = queries.lot_by_number(number)
            identifier = given.pop("sample")
            sample_id = queries.sample_by_identifier(identifier).pk if identifier else None
        result = services.record_result(by=self.actor, lot_id=lot.pk, sample_id=sample_id, text=given.pop("value"), **given)
        with self.reading():
            return self.reply(queries.result_by_id(result.pk), location=f"/api/v1/results/{result.pk}/")


class LotNotTested(ServiceView):
    """The statement that a test was not done, and why."""

    permission = Permission.RECORD_RESULTS
    asks: ClassVar[dict] = {"POST": NotTestedIn}
    answers: ClassVar[dict] = {"POST": ResultOut}

    def post(self, request, number):
        """Only where another way is there, or where nothing is judged."""
        given = self.read()
        with self.reading():
            lot = queries.lot_by_number(number)
        result = services.state_not_tested(by=self.actor, lot_id=lot.pk, **given)
        with self.reading():
            return self.reply(queries.result_by_id(result.pk))


class ResultDetail(ServiceView):
    """One result."""

    permission = BatchPermission.READ_RECORD
    answers: ClassVar[dict] = {"GET": ResultOut}

    def get(self, request, result_id):
        """As recorded."""
        return self.reply(queries.result_by_id(result_id))


class SampleDetail(ServiceView):
    """One sample, by the identifier on its label."""

    permission = BatchPermission.READ_RECORD
    answers: ClassVar[dict] = {"GET": SampleOut}

    def get(self, request, identifier):
        """Where it is."""
        return self.reply(queries.sample_by_identifier(identifier))


class _SampleAct(ServiceView):
    answers: ClassVar[dict] = {"POST": SampleOut}
    created = False

    def sample_id(self, identifier: str):
        with self.reading():
            return queries.sample_by_identifier(identifier).pk

    def done(self, identifier: str):
        with self.reading():
            return self.reply(queries.sample_by_identifier(identifier))


class Draw(_SampleAct):
    """A sample was drawn now. Signing the sampling step does the same."""

    permission = Permission.DRAW_SAMPLES
    asks: ClassVar[dict] = {"POST": DrawSample}

    def post(self, request, identifier):
        """From here on the days to its late results count."""
        services.draw_sample(by=self.actor, sample_id=self.sample_id(identifier), seen=self.read()["version"])
        return self.done(identifier)


class Receive(_SampleAct):
    """QC takes a sample over."""

    permission = Permission.RECORD_RESULTS
    asks: ClassVar[dict] = {"POST": ReceiveSample}

    def post(self, request, identifier):
        """By the scan of its label."""
        given = self.read()
        services.receive_sample(by=self.actor, sample_id=self.sample_id(identifier), seen=given["version"], scanned=given["scanned"])
        return self.done(identifier)


class ReviewSample(SigningView):
    """The second person's review of every result of a sample that is not reviewed yet."""

    permission = Permission.REVIEW_RESULTS
    meaning = "reviewed_result"

    def what(self, identifier):
        sample = queries.sample_by_identifier(identifier)
        return queries.sample_review_subject(sample, queries.unreviewed(sample))

    def sign(self, proof, identifier):
        with self.reading():
            sample = queries.sample_by_identifier(identifier)
        services.review_sample(by=self.actor, sample_id=sample.pk, seen=sample.version, proof=proof)


class ReviewResult(SigningView):
    """The second person's review of one result."""

    permission = Permission.REVIEW_RESULTS
    meaning = "reviewed_result"

    def what(self, result_id):
        return queries.review_subject(queries.result_by_id(result_id))

    def sign(self, proof, result_id):
        services.review_result(by=self.actor, result_id=result_id, proof=proof)


class CorrectResult(SigningView):
    """A correction of a transcription: `value`, `unit`, `method_version` and `reason` in the query of both calls; a second person signs."""

    permission = Permission.RECORD_RESULTS
    meaning = "confirmed_transcription"

    def becomes(self) -> dict[str, str]:
        """What the result becomes, from the query."""
        asked = self.request.query_params
        return {"text": asked.get("value", "")} | {name: asked.get(name, "") for name in ("unit", "method_version", "reason")}

    def what(self, result_id):
        return queries.correction_subject(queries.result_by_id(result_id), **self.becomes())

    def sign(self, proof, result_id):
        services.correct_result(by=self.actor, result_id=result_id, proof=proof, **self.becomes())


class JudgeAnewIn(serializers.Serializer):
    reason = serializers.CharField(max_length=2000, help_text="Why, in your words.")


class JudgeAnew(ServiceView):
    """A verdict is made anew: its limit was computed from values of the batch record that were corrected since."""

    permission = Permission.RECORD_RESULTS
    asks: ClassVar[dict] = {"POST": JudgeAnewIn}
    answers: ClassVar[dict] = {"POST": ResultOut}

    def post(self, request, result_id):
        """The value stays as reported; the new verdict needs its own review. Refused while the verdict stands."""
        made = services.judge_anew(by=self.actor, result_id=result_id, reason=self.read()["reason"])
        with self.reading():
            return self.reply(queries.result_by_id(made.pk), location=f"/api/v1/results/{made.pk}/")


api_urls = [
    path("lots/<str:number>/samples/", LotSamples.as_view()),
    path("lots/<str:number>/results/", LotResults.as_view()),
    path("lots/<str:number>/results/not-tested/", LotNotTested.as_view()),
    path("samples/<str:identifier>/", SampleDetail.as_view()),
    path("samples/<str:identifier>/draw/", Draw.as_view()),
    path("samples/<str:identifier>/receive/", Receive.as_view()),
    path("samples/<str:identifier>/review/", ReviewSample.as_view()),
    path("results/<uuid:result_id>/", ResultDetail.as_view()),
    path("results/<uuid:result_id>/review/", ReviewResult.as_view()),
    path("results/<uuid:result_id>/correct/", CorrectResult.as_view()),
    path("results/<uuid:result_id>/judge-anew/", JudgeAnew.as_view()),
]
