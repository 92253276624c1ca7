"""The shape of what is typed on the pages on equipment."""

from __future__ import annotations

from django import forms

from batches.equipment.states import STATE_WORDS
from mes.web.fields import ChosenField

PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def line(label: str, help_text: str = "", *, required: bool = True, longest: int = 120) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=longest, widget=forms.TextInput(attrs=PLAIN))


def moment(label: str) -> forms.CharField:
    return forms.CharField(label=label, help_text="In the site's time.", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))


class ClassForm(forms.Form):
    code = line("Code", "As recipes write it: small letters, digits, underscores.", longest=60)
    name = line("Name", longest=200)


class EquipmentForm(forms.Form):
    equipment_class = ChosenField(label="Class")
    code = line("Number", "As on the device.", longest=60)
    name = line("Name", longest=200)
    serial = line("Serial number", required=False, longest=80)
    calibrated_until = moment("Calibrated until")
    shared = forms.BooleanField(label="Shared instrument", required=False, help_text="Serves several lots in turn and is never occupied.")
    identifier = line("Identifier on its label", "Left empty, it gets one.", required=False, longest=80)

    def __init__(self, *args, classes=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["equipment_class"].choices = [(str(each.pk), each.name) for each in classes]


class CalibrationForm(forms.Form):
    calibrated_until = moment("Calibrated until")
    certificate = line("Number of the certificate")


class StateForm(forms.Form):
    state = ChosenField(label="State", choices=[(code, words.capitalize()) for code, words in STATE_WORDS.items()])
    reason = forms.CharField(label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 3, **PLAIN}))


class FreeForm(forms.Form):
    reason = line("Reason", "Why the lot leaves it outside of a step.", longest=300)
