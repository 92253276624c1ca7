"""The shape of what is typed on the pages on materials."""

from __future__ import annotations

from django import forms

from batches.materials.rules import ROLES
from mes.web.fields import ChosenField

PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def line(label: str, help_text: str = "", *, required: bool = True, longest: int = 120) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=longest, widget=forms.TextInput(attrs=PLAIN))


class MaterialForm(forms.Form):
    code = line("Code", "As recipes write it: small letters, digits, underscores.", longest=60)
    name = line("Name", longest=200)
    unit = line("Unit", "What it is counted in, such as vials, bags, mL.", longest=40)
    role = ChosenField(label="Role", choices=list(ROLES.items()))


class ReceiveForm(forms.Form):
    material = ChosenField(label="Material")
    number = line("Lot number", "As on the box.", longest=60)
    supplier = line("Supplier", required=False)
    expires_at = forms.CharField(label="Expires at", help_text="In the site's time.", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    quantity = line("Quantity", "In the unit of the material.", longest=40)
    identifier = line("Identifier on our label", "Left empty, the lot gets one.", required=False, longest=80)

    def __init__(self, *args, materials=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["material"].choices = [(str(each.pk), f"{each.name} ({each.unit})") for each in materials]


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 3, **PLAIN}))
