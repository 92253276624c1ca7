"""Labels and hand-overs over the API: printed, used, destroyed, counted; signed when a container changes hands."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from batches.custody import queries, rules, services
from batches.custody.hand_over_pages import OFFERED
from batches.custody.models import Label
from batches.lots import queries as lots
from batches.lots.api import SECOND, ReadByTwo, SecondReaderIn
from batches.lots.views.second_reader import prove
from batches.permissions import Permission
from mes.api.views import ServiceView
from mes.errors import Missing
from mes.signatures.api import SigningView


class LabelOut(serializers.Serializer):
    id = serializers.UUIDField()
    container = serializers.CharField(source="container.identifier", help_text="Full identifier of the container it is for.")
    title = serializers.CharField(source="container.title")
    serial = serializers.IntegerField()
    state = serializers.CharField(help_text="printed, used or destroyed.")
    content_digest = serializers.CharField(help_text="SHA-256 of the kept specimen, which is encrypted.")
    version = serializers.IntegerField(help_text="Send it back as `seen`.")


class PrintIn(serializers.Serializer):
    container = serializers.CharField(max_length=80, help_text="Full identifier of the container.")
    reason = serializers.CharField(max_length=400, required=False, allow_blank=True, default="", help_text="Needed for a second label.")


class UseIn(SecondReaderIn):
    seen = serializers.IntegerField(help_text="The label's version as it was read.")
    scanned_label = serializers.CharField(max_length=500, help_text="The new label, scanned whole.")
    scanned_container = serializers.CharField(max_length=500, help_text="What the container carries now, or the one it was filled from.")


class DestroyIn(serializers.Serializer):
    seen = serializers.IntegerField(help_text="The label's version as it was read.")
    reason = serializers.CharField(max_length=400)


class HandOverOut(serializers.Serializer):
    id = serializers.UUIDField()
    container = serializers.CharField(source="container.identifier")
    kind = serializers.CharField()
    from_place = serializers.CharField()
    to_place = serializers.CharField()
    carrier = serializers.CharField()
    seal = serializers.CharField()
    logger = serializers.CharField()
    temperature_min = serializers.CharField()
    temperature_max = serializers.CharField()
    temperature_level = serializers.CharField(help_text="not_read, no_limit, within, or action: a deviation was opened.")
    temperature_sentence = serializers.CharField(help_text="How the temperatures stand against the limits of the recipe.")
    signed_by = serializers.CharField(source="by.full_name")
    recorded_at = serializers.DateTimeField()


class LabelsView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.PRINT_LABELS}
    asks = {"POST": PrintIn}
    answers = {"GET": LabelOut(many=True), "POST": LabelOut}

    def get(self, request, number: str):
        """Every label of a lot; printed must be used plus destroyed before release."""
        return self.reply(queries.labels_of(lots.lot_by_number(number)))

    def post(self, request, number: str):
        """Print a label for a container of the lot; its PDF is read with GET …/labels/<id>/pdf/."""
        given = self.read()
        with self.reading():
            found = [each for each in lots.containers_of(lots.lot_by_number(number)) if each.identifier == given["container"]]
        if not found:
            raise Missing("not_found", f"Lot {number} has no container {given['container']}.", field="container")
        made = services.print_label(by=self.actor, container_id=found[0].pk, reason=given["reason"])
        with self.reading():
            return self.reply(queries.label(made.pk))


class _LabelAct(ServiceView):
    answers = {"POST": LabelOut}
    created = False

    def done(self, label: Label):
        with self.reading():
            return self.reply(queries.label(label.pk))


class UseLabelView(_LabelAct):
    permission = Permission.RECORD_VALUES
    secret_fields = SECOND[1:]
    asks = {"POST": UseIn}

    def post(self, request, label_id):
        """The label is on its container: two scans, or one and what the container carries, typed and read by two."""
        given = self.read()
        second_person = [given.pop(name) for name in SECOND]
        with self.reading():
            container = queries.label(label_id).container
        second = prove(self.actor, container, given["scanned_container"], *second_person)
        return self.done(services.use_label(by=self.actor, label_id=label_id, typed_with=second, **given))


class DestroyLabelView(_LabelAct):
    permission = Permission.PRINT_LABELS
    asks = {"POST": DestroyIn}

    def post(self, request, label_id):
        """The label is destroyed and counted."""
        return self.done(services.destroy_label(by=self.actor, label_id=label_id, **self.read()))


class LabelPdfView(ServiceView):
    permission = Permission.PRINT_LABELS
    answers = {"POST": OpenApiTypes.BINARY}
    keyless = True

    def post(self, request, label_id):
        """The label as it was printed, for the printer. Reading one that shows the patient is itself recorded; the answer is kept nowhere."""
        label, pdf = services.open_specimen(by=self.actor, label_id=label_id)
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="label-{label.serial}.pdf"'
        answer["Cache-Control"] = "no-store, private"
        return answer


class HandOversView(ServiceView):
    permission = Permission.READ_LOTS
    answers = {"GET": HandOverOut(many=True)}

    def get(self, request, number: str):
        """The chain of custody of a lot, oldest first."""
        return self.reply(queries.hand_overs_of(lots.lot_by_number(number)))


class HandOverSign(ReadByTwo, SigningView):
    """A container changes hands: `scanned` and the details stand in the query of both calls. Product is dispatched at …/dispatch/.

    A typed identifier needs `second_username` and `second_secret` of a person who read it too.
    """

    def rule(self) -> rules.HandOverRule:
        kind = self.kwargs["kind"]
        if kind not in OFFERED:
            raise Missing("not_found", f"A hand-over here is one of: {', '.join(OFFERED)}.")
        return rules.HAND_OVER_RULES[kind]

    def asked_permission(self, method: str):
        return self.rule().permission

    def meaning_code(self, **kwargs) -> str:
        return self.rule().meaning

    def scanned(self, number: str):
        container = lots.container_scanned(self.request.query_params.get("scanned", ""))
        if container.lot.number != number:
            raise Missing("not_found", f"This container is not of lot {number}.", field="scanned")
        return lots.container(container.pk)

    def what(self, number: str, kind: str):
        return queries.hand_over_subject(self.scanned(number), kind, self.request.query_params)

    def sign(self, proof, number: str, kind: str):
        asked = self.request.query_params
        with self.reading():
            container = self.scanned(number)
        details = {name: asked.get(name, "") for name in queries.HAND_OVER_DETAILS}
        scanned = asked.get("scanned", "")
        second = self.second_reader(container, scanned)
        return services.hand_over(by=self.actor, container_id=container.pk, kind=kind, scanned=scanned, proof=proof, typed_with=second, **details)
