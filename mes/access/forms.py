"""The shape of what is typed about emergency access."""

from __future__ import annotations

from django import forms

from mes.people.forms import name_field
from mes.web.fields import ChosenField


class EmergencyForm(forms.Form):
    who = name_field("User name of who gets the access")
    role = ChosenField(label="Role", help_text="One that signs nothing and gives nobody access.")
    hours = forms.IntegerField(label="For how many hours", min_value=1, max_value=8)
    reason = forms.CharField(label="Reason", min_length=3, max_length=400)

    def __init__(self, *args, roles=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", ""), *((str(role.pk), role.name) for role in roles)]
