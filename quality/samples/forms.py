"""Shape of what is typed in the laboratory."""

from __future__ import annotations

from django import forms

from mes.web.fields import ChosenField
from quality.samples.queries import CriterionLine

EVIDENCE_WORDS = [("measured", "Measured here"), ("published", "Published"), ("illustrative", "Made up for the demo")]


class ResultForm(forms.Form):
    """One result of the chosen criterion: a number, or one of the answers the method can give."""

    kind = ChosenField(label="What is it?", choices=[("final", "Final result"), ("interim", "Interim reading")])
    interim_day = forms.IntegerField(label="Day of the reading", required=False, min_value=0, help_text="Counted from sampling.")
    value = forms.CharField(label="Result", max_length=2000, strip=True)
    tested_at = forms.CharField(label="Tested at", required=False, max_length=40, help_text="2026-03-19 14:05 in the site's zone; now when left empty.")
    evidence = ChosenField(label="Where does it come from?", choices=EVIDENCE_WORDS)
    evidence_source = forms.CharField(label="Published where", required=False, max_length=500)

    def __init__(self, line: CriterionLine, *args, demo: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        criterion = line.criterion
        answers = list(criterion.options or ())
        if criterion.interim is not None and criterion.interim.allowed:
            answers += [each for each in criterion.interim.accept if each not in answers]
        else:
            del self.fields["kind"], self.fields["interim_day"]
        if answers and not criterion.is_numeric:
            # No answer is chosen beforehand: it is a decision.
            self.fields["value"] = forms.ChoiceField(label="Result", choices=[(each, each) for each in answers], widget=forms.RadioSelect)
        elif criterion.unit:
            self.fields["value"].unit = criterion.unit
            self.fields["value"].widget.attrs["inputmode"] = "decimal"
        if not demo:
            del self.fields["evidence"], self.fields["evidence_source"]


class CorrectionForm(forms.Form):
    """What a result becomes, and why: the second person signs both."""

    value = forms.CharField(label="Corrected result", max_length=2000)
    reason = forms.CharField(
        label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), help_text="A correction mends a transcription. A repeat is a retest."
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
