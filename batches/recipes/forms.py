"""Shape of what is typed about recipes."""

from __future__ import annotations

from django import forms

LARGEST_TEXT = 2 * 1024 * 1024
"""Bytes of a recipe file."""


class ImportForm(forms.Form):
    """A recipe as text, pasted or as a file; a file wins over the text."""

    text = forms.CharField(label="Recipe as text (YAML)", widget=forms.Textarea, required=False)
    file = forms.FileField(label="Or choose a file", required=False)

    def written(self) -> str:
        """The text to import. Raises ValidationError when neither is given or the file is no UTF-8 text."""
        file = self.cleaned_data.get("file")
        if file is None:
            text = self.cleaned_data.get("text", "")
            if not text.strip():
                raise forms.ValidationError("Paste the recipe, or choose its file.")
            return text
        if file.size > LARGEST_TEXT:
            raise forms.ValidationError("The file is larger than a recipe can be (2 MB).")
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError("The file is not UTF-8 text. Save it as UTF-8 and choose it again.") from None
