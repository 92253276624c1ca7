"""The shape of what is typed on the pages on lots."""

from __future__ import annotations

import re

from django import forms

from batches.lots.rules import MARKETS
from batches.recipes.quantities import format_decimal
from batches.recipes.queries import document
from mes.web.fields import ChosenField

PLAIN = {"autocomplete": "off", "spellcheck": "false"}
SCAN = PLAIN | {"data-takes-scan": ""}


def line(label: str, help_text: str = "", *, required: bool = True, longest: int = 120, scan: bool = False) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=longest, widget=forms.TextInput(attrs=SCAN if scan else PLAIN))


class PatientForm(forms.Form):
    """The patient's identity; it goes into the vault and nowhere else."""

    family_name = line("Family name")
    given_name = line("Given name")
    born = line("Date of birth", "Year-month-day, such as 1961-04-23.", longest=20)
    hospital_number = line("Hospital number", "The patient's number at the treatment centre.")
    namesake = forms.BooleanField(
        label="Another patient with the same name and date of birth is somebody else", required=False, help_text="Only when asked for."
    )

    IDENTITY = ("family_name", "given_name", "born", "hospital_number")


class OrderForm(forms.Form):
    """What a lot is ordered with, beside the patient."""

    recipe = ChosenField(label="Recipe", help_text="Only effective versions are offered.")
    market = ChosenField(label="Market", choices=[(code, words) for code, words in sorted(MARKETS.items(), key=lambda pair: pair[1])])
    cohort = line("Dose cohort", "The code of the recipe's dose cohort.", required=False, longest=40)
    treatment_centre = line("Treatment centre")
    physician_name = line("Physician", "Who is told when a result fails after release.")
    physician_email = line("Physician's mail address", longest=200)
    dins = forms.CharField(
        label="Donation numbers", widget=forms.Textarea(attrs={"rows": 2, **SCAN}),
        help_text="One a line, with the check character in the box, such as G1234 98 654321 H. Scanning works here.",
    )  # fmt: skip

    def __init__(self, *args, versions=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["recipe"].choices = [(str(each.pk), f"{each.master.name}, version {each.label}") for each in versions]
        doses = [(each.master.name, document(each).dose) for each in versions]
        choices = [f"{name}: {', '.join(f'{each.code} ({format_decimal(each.target)} {dose.unit})' for each in dose.cohorts)}" for name, dose in doses if len(dose.cohorts) > 1]
        self.fields["cohort"].help_text = ". ".join(["Leave empty where the recipe has only one", *choices]) + "."

    def clean_dins(self) -> list[str]:
        return [part.strip() for part in re.split(r"[\n;,]", self.cleaned_data["dins"]) if part.strip()]


class ScanForm(forms.Form):
    scanned = line("Donation number or bag label", "Scan the bag. A typed donation number needs its check character.", longest=200, scan=True)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason", help_text="In your words, without the patient's name.", max_length=2000, widget=forms.Textarea(attrs={"rows": 3, **PLAIN})
    )


class DinForm(forms.Form):
    din = line("Donation number", "With the check character, such as G1234 98 654321 H.", longest=40, scan=True)
