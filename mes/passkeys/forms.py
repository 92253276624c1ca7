"""The shape of what is typed about passkeys."""

from __future__ import annotations

from django import forms

from mes.passkeys.webauthn import LONGEST
from mes.people.forms import name_field, secret_field, witness_code_field


class EnrolPasskeyForm(forms.Form):
    """The passkey comes from the device, by the page's script; a person types the rest."""

    name = name_field("Name of the passkey", max_length=60, help_text="By which you know the device: grey security key, telephone.")
    witness = name_field("User name of who checked your identity", help_text="Somebody who may record training and did not retire an earlier authenticator.")
    witness_password = secret_field("Password of who checked your identity", new=False, help_text="They type it here themselves.")
    witness_code = witness_code_field()
    made = forms.CharField(
        max_length=LONGEST, widget=forms.HiddenInput, error_messages={"required": "No passkey came from the device. Press Make the passkey, then follow it."}
    )
