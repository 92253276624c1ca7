"""The shape of what is typed on the pages on people."""

from __future__ import annotations

from django import forms


class SignInForm(forms.Form):
    username = forms.CharField(label="User name", widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}))
    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))


class SiteForm(forms.Form):
    site = forms.ChoiceField(label="Site", widget=forms.RadioSelect)

    def __init__(self, *args, sites=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = [(str(site.pk), site.name) for site in sites]
