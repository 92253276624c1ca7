"""What the steps of a lot look like over the API."""

from __future__ import annotations

from rest_framework import serializers

from batches.execution import queries
from batches.execution.models import Entry, EntryAttempt, StepRun
from batches.execution.queries.content import consumptions_of
from batches.materials.models import Consumption

BOUNDS = ("min", "min_exclusive", "max", "max_exclusive")


class EntryOut(serializers.ModelSerializer):
    """A recorded value as it counts now."""

    by = serializers.CharField(source="by.full_name")
    value = serializers.CharField(source="value_text", help_text="As typed.")
    number = serializers.DecimalField(source="value", max_digits=None, decimal_places=None, coerce_to_string=True, allow_null=True)

    class Meta:
        model = Entry
        fields = (
            "id", "parameter", "value", "number", "qualifier", "unit", "level", "sentence", "source", "trace", "recorded_at", "by", "claimed_at", "late",
            "reason", "supersedes",
        )  # fmt: skip


class MissingOut(serializers.Serializer):
    text = serializers.CharField()
    anchor = serializers.CharField()


class StepLine(serializers.Serializer):
    """One run of a step."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField()
    stage = serializers.CharField()
    day = serializers.IntegerField()
    order = serializers.IntegerField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    performed_by = serializers.CharField(help_text="Role that does it.")
    second_person = serializers.CharField()
    touches_material = serializers.CharField(allow_null=True, help_text="Code of the container whose identifier opens the step.")


class ParameterOut(serializers.Serializer):
    """A value the step records, as the recipe says."""

    key = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    decimals = serializers.IntegerField(allow_null=True)
    options = serializers.ListField(child=serializers.CharField())
    required = serializers.BooleanField()
    double_entry = serializers.BooleanField()
    source = serializers.CharField()
    channel = serializers.CharField(allow_null=True)
    accept = serializers.ListField(child=serializers.CharField(), help_text="Of a choice or a yes/no: the answers inside the limit; empty: every answer.")
    limit_class = serializers.CharField()
    expression = serializers.CharField(allow_null=True, help_text="Of a calculated value.")
    limits = serializers.SerializerMethodField(help_text="Bounds by limit: plausible, hard, action, alert, historical; numbers as text.")

    def get_limits(self, parameter) -> dict[str, dict[str, str]]:
        return {name: {side: f"{getattr(band, side)}" for side in BOUNDS if getattr(band, side) is not None} for name, band in parameter.limits.bands()}


class MaterialLineOut(serializers.Serializer):
    material = serializers.CharField()
    quantity = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_null=True)
    required = serializers.BooleanField()


class ConsumptionOut(serializers.ModelSerializer):
    """Material that was taken, as it counts now; a quantity of zero was taken back by a correction."""

    material_lot = serializers.CharField(source="material_lot.number")
    quantity = serializers.CharField(source="quantity_text", help_text="As typed.")
    by = serializers.CharField(source="by.full_name")

    class Meta:
        model = Consumption
        fields = ("id", "line", "material_lot", "quantity", "unit", "recorded_at", "by", "reason", "supersedes")


class FileLineOut(serializers.Serializer):
    code = serializers.CharField()
    title = serializers.CharField()
    required = serializers.BooleanField()


class OptionOut(serializers.Serializer):
    code = serializers.CharField()
    title = serializers.CharField()
    consequence = serializers.CharField()


class ExcursionOut(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    sentence = serializers.CharField()


class StepOut(StepLine):
    """One run with everything that is recorded in it and what it still needs."""

    instruction = serializers.CharField()
    parameters = ParameterOut(many=True)
    materials = MaterialLineOut(many=True)
    equipment = serializers.ListField(child=serializers.CharField())
    files = FileLineOut(many=True)
    options = OptionOut(many=True)
    entries = EntryOut(many=True)
    taken = ConsumptionOut(many=True)
    missing = MissingOut(many=True)
    undecided = ExcursionOut(many=True)


class OpenIn(serializers.Serializer):
    seen = serializers.IntegerField(help_text="Version of the step that was read.")
    scanned = serializers.CharField(required=False, allow_blank=True, default="", max_length=500, help_text="Full identifier of the container, as scanned.")


class ValueIn(serializers.Serializer):
    parameter = serializers.CharField(max_length=80)
    value = serializers.CharField(max_length=4000, trim_whitespace=False, help_text="As text, with the digits that were read.")
    unit = serializers.CharField(required=False, allow_blank=True, max_length=40)
    seen = serializers.UUIDField(required=False, allow_null=True, help_text="Entry that was seen for this value; none when the field was empty.")
    claimed_at = serializers.DateTimeField(required=False, allow_null=True, help_text="When it was done, if earlier.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    again = serializers.CharField(required=False, max_length=4000, help_text="The second typing of a value that is typed twice.")


class ValuesIn(serializers.Serializer):
    values = ValueIn(many=True, allow_empty=False, max_length=100)


class ValueOut(serializers.Serializer):
    """What became of a value: recorded, or kept as an attempt with its code."""

    parameter = serializers.CharField()
    recorded = serializers.BooleanField()
    code = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)
    entry = EntryOut(allow_null=True)


class ValuesOut(serializers.Serializer):
    values = ValueOut(many=True)
    step = StepOut()


class MaterialIn(serializers.Serializer):
    line = serializers.CharField(max_length=60, help_text="Material code of the recipe's line.")
    scanned = serializers.CharField(max_length=500)
    quantity = serializers.CharField(required=False, allow_blank=True, default="", max_length=60, help_text="As text; empty: as planned.")
    typed = serializers.BooleanField(default=False, help_text="Whether the code was typed by hand, not scanned: it is counted, and the reviewer sees it.")


class EquipmentIn(serializers.Serializer):
    class_code = serializers.CharField(max_length=60)
    scanned = serializers.CharField(max_length=500)
    typed = serializers.BooleanField(default=False, help_text="Whether the code was typed by hand, not scanned: it is counted, and the reviewer sees it.")


class ChoiceIn(serializers.Serializer):
    choice = serializers.ChoiceField(choices=["correct", "keep", "stop"])
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class StopIn(serializers.Serializer):
    seen = serializers.IntegerField()
    reason = serializers.CharField(max_length=2000)


class FileIn(serializers.Serializer):
    file = serializers.FileField()


class ConfirmIn(serializers.Serializer):
    parameter = serializers.CharField(max_length=80)
    seen = serializers.UUIDField(required=False, allow_null=True)


def step_line(run: StepRun, step) -> dict:
    return {
        "id": run.pk, "key": run.key, "title": step.title, "kind": step.kind, "stage": run.stage, "day": run.day, "order": run.order, "state": run.state,
        "version": run.version, "performed_by": step.performed_by, "second_person": step.second_person, "touches_material": step.touches_material,
    }  # fmt: skip


def step_out(run: StepRun) -> dict:
    """One run in full. Call it inside a read context."""
    step = queries.step_of(run)
    return step_line(run, step) | {
        "instruction": step.instruction,
        "parameters": step.parameters,
        "materials": [
            {"material": each.material, "quantity": None if each.quantity is None else f"{each.quantity:f}", "unit": each.unit, "required": each.required}
            for each in step.materials
        ],
        "equipment": step.equipment,
        "files": step.attachments,
        "options": step.decision.options if step.decision else (),
        "entries": list(queries.current_entries(run).values()),
        "taken": consumptions_of(run),
        "missing": queries.missing(run) if run.state == "open" else [],
        "undecided": queries.undecided(run),
    }


def value_out(result: Entry | EntryAttempt) -> dict:
    if isinstance(result, EntryAttempt):
        return {"parameter": result.parameter, "recorded": False, "code": result.code, "sentence": result.sentence, "entry": None}
    return {"parameter": result.parameter, "recorded": True, "code": "", "sentence": result.sentence, "entry": result}
