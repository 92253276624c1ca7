"""Shape of what is typed about a deviation."""

from __future__ import annotations

from django import forms

REASON = forms.Textarea(attrs={"rows": 3})


class ClassifyForm(forms.Form):
    """QA classifies otherwise than the rule did."""

    classification = forms.ChoiceField(
        label="Class", choices=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")], widget=forms.RadioSelect
    )
    reason = forms.CharField(label="Reason", max_length=2000, widget=REASON)


class InvestigateForm(forms.Form):
    """What was found out: cause or justification, and which other lots it may touch."""

    investigation = forms.CharField(
        label="Investigation", max_length=20000, widget=forms.Textarea(attrs={"rows": 7}),
        help_text="What happened, its cause or why none was found, and which other lots it may touch.",
    )  # fmt: skip


class AssessForm(forms.Form):
    """The impact on this lot."""

    impact = forms.ChoiceField(
        label="Impact on this lot",
        choices=[("none", "None"), ("acceptable", "There is one, and it is acceptable"), ("not_acceptable", "Not acceptable: it blocks release")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="Reason", max_length=2000, widget=REASON)


class CloseForm(forms.Form):
    """How a deviation ends."""

    closed_as = forms.ChoiceField(
        label="Close as",
        choices=[("investigated", "Investigated"), ("entry_error", "Entry error: the value was typed wrong and corrected with a second person")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="Reason", max_length=2000, widget=REASON)


class OpenForm(forms.Form):
    """A deviation for something no limit catches."""

    lot = forms.CharField(label="Lot", max_length=40, help_text="Its number.")
    title = forms.CharField(label="What happened", max_length=300, help_text="In one line.")
    description = forms.CharField(label="Description", max_length=8000, widget=forms.Textarea(attrs={"rows": 5}))
