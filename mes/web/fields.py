"""Form fields that no screen can answer for a person."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms


class ChosenField(forms.ChoiceField):
    """A list that opens on nothing: whatever is taken from it, somebody chose. Choices may be given when the form is made."""

    def _take(self, value: Iterable[tuple[str, str]]) -> None:
        listed = [(key, words) for key, words in value if key != ""]
        forms.ChoiceField.choices.fset(self, [("", "–"), *listed])

    choices = property(forms.ChoiceField.choices.fget, _take)
