"""The shape of a decision about an exception."""

from __future__ import annotations

from django import forms

from mes.web.fields import ChosenField
from quality.review.queries import DECISIONS


class DecisionForm(forms.Form):
    exception = forms.CharField(max_length=120)
    decision = ChosenField(choices=list(DECISIONS.items()), required=False)
    comment = forms.CharField(max_length=4000, required=False)
