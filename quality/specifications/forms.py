"""Shape of what is typed about specifications."""

from __future__ import annotations

from django import forms

LARGEST_TEXT = 1_000_000


class ImportForm(forms.Form):
    """A specification as YAML text, from a file or pasted."""

    file = forms.FileField(label="File", required=False, help_text="YAML. Its text is taken in as it stands.")
    text = forms.CharField(
        label="Or its text", required=False, strip=False, max_length=LARGEST_TEXT, widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"})
    )

    def written(self) -> str:
        """The text: that of the file when there is one. Raises ValidationError through clean()."""
        return self.cleaned_data["written"]

    def clean(self) -> dict:
        given = super().clean()
        found = given.get("file")
        if found is not None:
            if found.size > LARGEST_TEXT:
                raise forms.ValidationError("The file is larger than a specification can be. Look whether it is the right one.")
            try:
                given["written"] = found.read().decode("utf-8")
            except UnicodeDecodeError:
                raise forms.ValidationError("The file is no UTF-8 text. Save it as UTF-8.") from None
        else:
            given["written"] = given.get("text", "")
        if not given["written"].strip():
            raise forms.ValidationError("Choose a file, or paste the text.")
        return given
