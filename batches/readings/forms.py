"""The shape of what is typed on the pages on readings."""

from django import forms

PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class ChannelForm(forms.Form):
    code = forms.CharField(label="Channel", help_text="As the device sends it.", max_length=60, widget=forms.TextInput(attrs=PLAIN))
    unit = forms.CharField(label="Unit", help_text="The unit it reports in, such as 10^6 cells/mL.", max_length=40, widget=forms.TextInput(attrs=PLAIN))
