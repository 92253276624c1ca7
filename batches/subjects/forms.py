"""The shape of what is typed on the pages of the vault."""

from __future__ import annotations

from django import forms

from batches.subjects.rules import PURPOSES

PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def line(label: str, help_text: str = "", longest: int = 120) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, max_length=longest, widget=forms.TextInput(attrs=PLAIN))


class PurposeForm(forms.Form):
    """Why an identity is read. Labels read it by themselves."""

    purpose = forms.ChoiceField(
        label="Why do you read it?",
        widget=forms.RadioSelect,
        choices=[(code, words.capitalize()) for code, (_, words) in PURPOSES.items() if code != "label"],
    )


class CorrectionForm(forms.Form):
    family_name = line("Family name")
    given_name = line("Given name")
    born = line("Date of birth", "Year-month-day, such as 1961-04-23.", 20)
    hospital_number = line("Hospital number")
    reason = forms.CharField(
        label="Reason", help_text="What was wrong, without naming the patient.", max_length=2000, widget=forms.Textarea(attrs={"rows": 3, **PLAIN})
    )
