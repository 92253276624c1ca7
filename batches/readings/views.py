"""What a device measures and sent: a panel on its page."""

from __future__ import annotations

from django.http import HttpResponse

from batches.equipment.models import Equipment
from batches.permissions import Permission
from batches.readings import forms, queries, services
from mes.web.pages import FragmentPage, Page

WHY_NOT = {
    "not_assigned": "No open step had scanned this device",
    "not_calibrated": "Out of calibration",
    "wrong_unit": "Another unit than the channel's",
    "not_a_number": "Not a number",
    "unknown_channel": "Unknown channel",
    "out_of_service": "Out of service",
}


class ReadingsPanel(FragmentPage):
    """Channels and the newest readings of one piece of equipment."""

    permission = Permission.READ_LOTS
    template_name = "batches/readings/_readings.html"
    title = "Readings"

    def read(self, equipment_id) -> dict:
        equipment = Equipment.objects.one(pk=equipment_id)
        readings = queries.latest(equipment, 20)
        return {
            "equipment_id": equipment.pk,
            "channels": queries.channels_of(equipment),
            "readings": [(each, WHY_NOT.get(each.why_not, "")) for each in readings],
            "may_manage": Permission.MANAGE_EQUIPMENT in self.request.rights,
        }


class ChannelPage(Page):
    """Define a channel of a device."""

    permission = Permission.MANAGE_EQUIPMENT
    template_name = "batches/equipment/form.html"
    title = "Define a channel"

    def read(self, equipment_id) -> dict:
        equipment = Equipment.objects.one(pk=equipment_id)
        return {
            "heading": f"Define a channel of {equipment}",
            "lead": "Readings of a channel that is not defined are kept, and never used.",
            "form": forms.ChannelForm(initial=self.typed or None),
            "ok": "Define it",
            "back_url": f"/equipment/{equipment_id}/",
            "back_label": "Back to the equipment",
        }

    def post(self, request, equipment_id) -> HttpResponse:
        form = forms.ChannelForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        channel = self.do(services.define_channel, equipment_id=equipment_id, **form.cleaned_data)
        self.say(f"Channel {channel.code} is defined.")
        return self.done(f"/equipment/{equipment_id}/")
