"""Materials over the API: define, receive, read, release."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.response import Response

from batches.materials import queries, services
from batches.materials.models import Material, MaterialLot
from batches.materials.rules import ROLES
from batches.permissions import Permission
from mes.api.paging import PARAMETERS, page, pages_of
from mes.api.views import ServiceView
from mes.signatures.api import SigningView


class MaterialIn(serializers.Serializer):
    code = serializers.CharField(max_length=60, help_text="As recipes write it.")
    name = serializers.CharField(max_length=200)
    unit = serializers.CharField(max_length=40, help_text="What it is counted in.")
    role = serializers.ChoiceField(choices=sorted(ROLES))


class MaterialOut(MaterialIn):
    id = serializers.UUIDField()


class MaterialLotIn(serializers.Serializer):
    material = serializers.CharField(max_length=60, help_text="Code of the material.")
    number = serializers.CharField(max_length=60, help_text="The supplier's lot number.")
    supplier = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    expires_at = serializers.DateTimeField(help_text="With its offset.")
    quantity = serializers.CharField(max_length=40, help_text="As text, such as 10 or 2.5.")
    unit = serializers.CharField(max_length=40, required=False, allow_blank=True, default="", help_text="Checked against the material's unit when given.")
    identifier = serializers.CharField(max_length=80, required=False, allow_blank=True, default="", help_text="What our label on it holds.")


class MaterialLotOut(serializers.Serializer):
    id = serializers.UUIDField()
    material = serializers.CharField(source="material.code")
    name = serializers.CharField(source="material.name")
    number = serializers.CharField()
    identifier = serializers.CharField()
    supplier = serializers.CharField(allow_blank=True)
    expires_at = serializers.DateTimeField()
    quantity = serializers.SerializerMethodField(help_text="Received.")
    left = serializers.SerializerMethodField(help_text="What is left now.")
    unit = serializers.CharField()
    state = serializers.CharField()
    state_reason = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField(help_text="Send it back as `seen`.")

    def get_quantity(self, lot) -> str:
        return f"{lot.quantity.normalize():f}"

    def get_left(self, lot) -> str:
        return f"{queries.left(lot).normalize():f}"


class StopIn(serializers.Serializer):
    seen = serializers.IntegerField(help_text="The version as it was read.")
    reason = serializers.CharField(max_length=2000)


class MaterialsView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.MANAGE_MATERIALS}
    asks = {"POST": MaterialIn}
    answers = {"GET": MaterialOut(many=True), "POST": MaterialOut}

    def get(self, request):
        """Every material of this site."""
        return self.reply(queries.materials())

    def post(self, request):
        """Define a material by the code that recipes use."""
        return self.reply(services.define_material(by=self.actor, **self.read()))


class MaterialLotsView(ServiceView):
    permissions = {"GET": Permission.READ_LOTS, "POST": Permission.MANAGE_MATERIALS}
    asks = {"POST": MaterialLotIn}
    answers = {"GET": pages_of(MaterialLotOut), "POST": MaterialLotOut}
    parameters = {"GET": PARAMETERS}

    def get(self, request):
        """Material lots, newest first."""
        return Response(page(request, MaterialLot.objects.select_related("material")).data(MaterialLotOut))

    def post(self, request):
        """Take a material lot into quarantine."""
        given = self.read()
        with self.reading():
            material = Material.objects.one(code=given.pop("material"))
        lot = services.receive_lot(by=self.actor, material_id=material.pk, **given)
        with self.reading():
            return self.reply(lot, location=reverse("api:material_lot", kwargs={"lot_id": lot.pk}))


class MaterialLotView(ServiceView):
    permission = Permission.READ_LOTS
    answers = {"GET": MaterialLotOut}

    def get(self, request, lot_id):
        """One material lot with what is left."""
        return self.reply(MaterialLot.objects.select_related("material").one(pk=lot_id))


class BlockView(ServiceView):
    permission = Permission.READ_LOTS  # to come here; the service asks for one of two further rights
    created = False
    asks = {"POST": StopIn}
    answers = {"POST": MaterialLotOut}
    service = staticmethod(services.block_lot)

    def post(self, request, lot_id):
        """Stop a released lot at once."""
        lot = self.service(by=self.actor, material_lot_id=lot_id, **self.read())
        with self.reading():
            return self.reply(lot)


class RejectView(BlockView):
    permission = Permission.RELEASE_MATERIAL
    service = staticmethod(services.reject_lot)

    def post(self, request, lot_id):
        """Reject a lot; it can never be used."""
        return super().post(request, lot_id)


class ReleaseSign(SigningView):
    """QA releases a material lot."""

    permission, meaning = Permission.RELEASE_MATERIAL, "released_material"

    def what(self, lot_id):
        return queries.release_subject(MaterialLot.objects.select_related("material").one(pk=lot_id))

    def sign(self, proof, lot_id):
        with self.reading():
            seen = MaterialLot.objects.one(pk=lot_id).version
        return services.release_lot(by=self.actor, material_lot_id=lot_id, seen=seen, proof=proof)
