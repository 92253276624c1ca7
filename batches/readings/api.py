"""The gateway for readings: a device's own token, readings kept once, never a signature."""

from __future__ import annotations

import re

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.permissions import Permission
from batches.readings import services
from batches.readings.services import Sent
from mes.api.views import ServiceView
from mes.errors import UnreadableInput


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}]})
class ValueText(serializers.Field):
    """A value as the device wrote it: text, or a JSON number taken digit by digit."""

    def to_internal_value(self, data):
        if isinstance(data, bool) or data is None or isinstance(data, dict | list):
            raise serializers.ValidationError("The value is text or a number.", code="not_text")
        return str(data)[:200]

    def to_representation(self, value):
        return value


class ReadingIn(serializers.Serializer):
    channel = serializers.CharField(max_length=60)
    value = ValueText(help_text="As text, so that no digit is lost.")
    unit = serializers.CharField(max_length=40, allow_blank=True)
    device_time = serializers.DateTimeField(help_text="The device's own clock, with its offset.")
    sequence = serializers.IntegerField(min_value=0, help_text="Rising number per channel; with it a repeat changes nothing.")


class PacketIn(serializers.Serializer):
    equipment = serializers.UUIDField()
    readings = ReadingIn(many=True)


class ReadingOut(serializers.Serializer):
    id = serializers.UUIDField(source="reading.pk")
    channel = serializers.CharField(source="reading.channel")
    sequence = serializers.IntegerField(source="reading.sequence")
    usable = serializers.BooleanField(source="reading.usable", help_text="It waits for a named person to confirm it at its step.")
    why_not = serializers.CharField(source="reading.why_not", help_text="Code of the reason for which it is kept only.")
    repeated = serializers.BooleanField(help_text="It was here before; nothing changed.")
    differs = serializers.BooleanField(help_text="It was here before with another content; the first one stands.")


class PacketOut(serializers.Serializer):
    readings = ReadingOut(source="kept", many=True)


class ReadingsView(ServiceView):
    permission = Permission.POST_READINGS
    asks = {"POST": PacketIn}
    answers = {"POST": PacketOut}

    def post(self, request):
        """Keep readings of one piece of equipment, exactly once each."""
        given = self.read()
        for place, each in enumerate(request.data.get("readings", [])):
            # A time without offset would be read in the server's zone and look exact.
            if isinstance(each, dict) and not re.search(r"(Z|[+-]\d{2}:?\d{2})$", str(each.get("device_time", ""))):
                raise UnreadableInput("zone_missing", f"The device time of reading {place + 1} has no offset. Send it as 2026-11-22T10:00:00+01:00.")
        packet = services.ingest(by=self.actor, equipment_id=given["equipment"], readings=[Sent(**each) for each in given["readings"]])
        return self.reply(packet)
