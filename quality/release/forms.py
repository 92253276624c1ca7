"""The shape of what is said about a dispatch and about the use of a product."""

from __future__ import annotations

from django import forms

from batches.lots.views.scanned import code_in
from mes.web.fields import ChosenField
from quality.release.queries import NOT_INFUSED


def takes_scan() -> forms.TextInput:
    """A field that a scan anywhere on the page fills."""
    return forms.TextInput(attrs={"data-takes-scan": "", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})


def at_field() -> forms.DateTimeInput:
    """Day and time, as the device lets them be chosen."""
    return forms.DateTimeInput(attrs={"type": "datetime-local"})


class DispatchForm(forms.Form):
    scanned = forms.CharField(max_length=200, label="Container", help_text="Scan its label, or type the identifier in full.", widget=takes_scan())
    to_place = forms.CharField(max_length=120, label="To")
    from_place = forms.CharField(max_length=120, label="From")
    carrier = forms.CharField(max_length=120, required=False, label="Courier")
    seal = forms.CharField(max_length=60, required=False, label="Seal number")
    logger = forms.CharField(max_length=60, required=False, label="Temperature logger")
    remark = forms.CharField(max_length=2000, required=False, label="Remark")

    def clean_scanned(self) -> str:
        return code_in(self.data, "scanned", self.cleaned_data["scanned"])


class UseForm(forms.Form):
    scanned = forms.CharField(max_length=200, label="Container", help_text="Scan the label of the bag, or type the identifier in full.", widget=takes_scan())
    coi = forms.CharField(max_length=60, label="Patient's chain of identity", help_text="Scan the wristband or the patient's order.", widget=takes_scan())
    infused = forms.ChoiceField(choices=[("yes", "Infused"), ("no", "Not infused")], widget=forms.RadioSelect, label="What became of it")
    started_at = forms.DateTimeField(required=False, label="Started at", widget=at_field())
    ended_at = forms.DateTimeField(required=False, label="Ended at", widget=at_field())
    volume = forms.CharField(max_length=40, required=False, label="Volume infused", help_text="In millilitres, such as 98.0")
    reason_code = ChosenField(choices=[("", "–"), *NOT_INFUSED.items()], required=False, label="Why not")
    reason = forms.CharField(max_length=2000, required=False, label="In your words", widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["volume"].unit = "mL"
        for name, when in (("started_at", "if infused"), ("ended_at", "if infused"), ("volume", "if infused"), ("reason_code", "if not infused")):
            self.fields[name].when = when
        for name in ("started_at", "ended_at"):
            self.fields[name].is_moment = True

    def codes(self) -> dict[str, str]:
        """The container's and the patient's code: as scanned, or as typed."""
        return {name: code_in(self.data, name, self.cleaned_data[name]) for name in ("scanned", "coi")}

    def facts(self) -> dict:
        """What is signed about the use, as the service takes it."""
        given = self.cleaned_data
        return {
            "infused": given["infused"] == "yes", "started_at": given["started_at"], "ended_at": given["ended_at"], "volume": given["volume"],
            "reason_code": given["reason_code"], "reason": given["reason"],
        }  # fmt: skip
