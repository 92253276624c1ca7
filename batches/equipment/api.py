"""Equipment over the API: classes, register, calibration, state."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.response import Response

from batches.equipment import queries, services
from batches.equipment.models import Equipment, EquipmentClass
from batches.equipment.states import STATE_WORDS
from batches.permissions import Permission
from mes.api.paging import PARAMETERS, page, pages_of
from mes.api.views import ServiceView
from mes.clock import record_now


class ClassIn(serializers.Serializer):
    code = serializers.CharField(max_length=60, help_text="As recipes write it.")
    name = serializers.CharField(max_length=200)


class ClassOut(ClassIn):
    id = serializers.UUIDField()


class EquipmentIn(serializers.Serializer):
    equipment_class = serializers.CharField(max_length=60, help_text="Code of its class.")
    code = serializers.CharField(max_length=60, help_text="Its number, as on the device.")
    name = serializers.CharField(max_length=200)
    serial = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    calibrated_until = serializers.DateTimeField(help_text="With its offset.")
    shared = serializers.BooleanField(default=False, help_text="Serves several lots in turn and is never occupied.")
    identifier = serializers.CharField(max_length=80, required=False, allow_blank=True, default="", help_text="What its label holds.")


class EquipmentOut(serializers.Serializer):
    id = serializers.UUIDField()
    equipment_class = serializers.CharField(source="equipment_class.code")
    code = serializers.CharField()
    name = serializers.CharField()
    identifier = serializers.CharField()
    serial = serializers.CharField(allow_blank=True)
    calibrated_until = serializers.DateTimeField()
    state = serializers.CharField()
    state_reason = serializers.CharField(allow_blank=True)
    shared = serializers.BooleanField()
    version = serializers.IntegerField(help_text="Send it back as `seen`.")
    lot = serializers.SerializerMethodField(help_text="Number of the lot in it, empty when there is none.")
    why_not = serializers.SerializerMethodField(help_text="Why it is not fit for use now, empty when it is.")

    def get_lot(self, equipment) -> str:
        held = queries.occupancy_of(equipment)
        return held.lot.number if held else ""

    def get_why_not(self, equipment) -> str:
        return queries.standing(equipment, record_now()).why_not


class CalibrationIn(serializers.Serializer):
    seen = serializers.IntegerField(help_text="The version as it was read.")
    calibrated_until = serializers.DateTimeField(help_text="With its offset.")
    certificate = serializers.CharField(max_length=120, help_text="Number of the certificate.")


class StateIn(serializers.Serializer):
    seen = serializers.IntegerField(help_text="The version as it was read.")
    state = serializers.ChoiceField(choices=sorted(STATE_WORDS))
    reason = serializers.CharField(max_length=2000)


class ClassesView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.MANAGE_EQUIPMENT}
    asks = {"POST": ClassIn}
    answers = {"GET": ClassOut(many=True), "POST": ClassOut}

    def get(self, request):
        """Every class of equipment of this site."""
        return self.reply(queries.classes())

    def post(self, request):
        """Define a class by the code that recipes use."""
        return self.reply(services.define_class(by=self.actor, **self.read()))


class EquipmentListView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.MANAGE_EQUIPMENT}
    asks = {"POST": EquipmentIn}
    answers = {"GET": pages_of(EquipmentOut), "POST": EquipmentOut}
    parameters = {"GET": PARAMETERS}

    def get(self, request):
        """Equipment of this site, newest first."""
        return Response(page(request, Equipment.objects.select_related("equipment_class")).data(EquipmentOut))

    def post(self, request):
        """Register a piece of equipment."""
        given = self.read()
        with self.reading():
            kind = EquipmentClass.objects.one(code=given.pop("equipment_class"))
        made = services.register_equipment(by=self.actor, class_id=kind.pk, **given)
        with self.reading():
            return self.reply(made, location=reverse("api:one_equipment", kwargs={"equipment_id": made.pk}))


class EquipmentView(ServiceView):
    permission = Permission.READ_LOTS
    answers = {"GET": EquipmentOut}

    def get(self, request, equipment_id):
        """One piece of equipment: fit or not, and the lot in it."""
        return self.reply(Equipment.objects.select_related("equipment_class").one(pk=equipment_id))


class CalibrateView(ServiceView):
    permission = Permission.MANAGE_EQUIPMENT
    created = False
    asks = {"POST": CalibrationIn}
    answers = {"POST": EquipmentOut}

    def post(self, request, equipment_id):
        """Record a calibration."""
        made = services.calibrate(by=self.actor, equipment_id=equipment_id, **self.read())
        with self.reading():
            return self.reply(made)


class StateView(ServiceView):
    permission = Permission.MANAGE_EQUIPMENT
    created = False
    asks = {"POST": StateIn}
    answers = {"POST": EquipmentOut}

    def post(self, request, equipment_id):
        """Take out of service, back into it, or retire."""
        made = services.change_state(by=self.actor, equipment_id=equipment_id, **self.read())
        with self.reading():
            return self.reply(made)
