"""The shape of what is typed on the pages on people."""

from __future__ import annotations

from django import forms

from mes.web.fields import ChosenField

HINT = "At least 12 characters (15 in the United States), not your user name, not one that others use, none you had before."


class SignInForm(forms.Form):
    username = forms.CharField(label="User name", widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}))
    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))


class SiteForm(forms.Form):
    site = forms.ChoiceField(label="Site", widget=forms.RadioSelect)

    def __init__(self, *args, sites=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = [(str(site.pk), site.name) for site in sites]


def secret_field(label: str, *, new: bool = True, help_text: str = "") -> forms.CharField:
    autocomplete = "new-password" if new else "current-password"
    return forms.CharField(label=label, strip=False, help_text=help_text, widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}))


def pin_field(label: str, *, help_text: str = "") -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}))


def name_field(label: str, **more) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
    return forms.CharField(label=label, widget=widget, **more)


def same_twice(form: forms.Form, first: str, second: str) -> None:
    """Adds an error when two fields differ. Typing twice, the first hidden, finds the slip."""
    data = form.cleaned_data
    if first in data and second in data and data[first] != data[second]:
        form.add_error(second, "The two differ. Type it once more.")


class PasswordForm(forms.Form):
    current = secret_field("Password now", new=False)
    new = secret_field("New password", help_text=HINT)
    again = secret_field("New password again")

    def clean(self):
        same_twice(self, "new", "again")
        return self.cleaned_data


class PinForm(forms.Form):
    current = secret_field("Password", new=False)
    pin = pin_field("New signing PIN", help_text="At least 6 digits, no row and no repeat. It is for the floor only.")
    pin_again = pin_field("New signing PIN again")

    def clean(self):
        same_twice(self, "pin", "pin_again")
        return self.cleaned_data


class OwnPasswordForm(forms.Form):
    current = secret_field("Password", new=False)


class SessionsForm(OwnPasswordForm):
    which = forms.ChoiceField(label="Which", required=False, widget=forms.Select)

    def __init__(self, *args, others=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["which"].choices = [("", "All but this one"), *others]
        self.fields["which"].when = "one, or all others"


class CodeForm(forms.Form):
    code = forms.CharField(label="Six digits shown now", max_length=12, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}))


def witness_code_field() -> forms.CharField:
    return forms.CharField(
        label="One-time code of who checked your identity", required=False, max_length=12, help_text="Where they have an authenticator.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip


class ConfirmForm(CodeForm):
    witness = name_field("User name of who checked your identity", help_text="Somebody who may record training and did not retire an earlier authenticator.")
    witness_password = secret_field("Password of who checked your identity", new=False, help_text="They type it here themselves.")
    witness_code = witness_code_field()


class JoinForm(forms.Form):
    new = secret_field("Your password", help_text=HINT)
    again = secret_field("Your password again")
    pin = pin_field("Your signing PIN", help_text="At least 6 digits, no row and no repeat. It is for the floor only.")
    pin_again = pin_field("Your signing PIN again")
    witness = name_field("User name of who checked your identity", help_text="Somebody who may record training and did not make the link.")
    witness_password = secret_field("Password of who checked your identity", new=False, help_text="They type it here themselves.")
    witness_code = witness_code_field()

    def clean(self):
        same_twice(self, "new", "again")
        same_twice(self, "pin", "pin_again")
        return self.cleaned_data


class EnrolForm(forms.Form):
    kind = ChosenField(label="What is enrolled", choices=[("person", "A person"), ("device", "A device")])
    full_name = forms.CharField(label="Full name", max_length=200, help_text="As signatures will show it.")
    username = name_field("User name", max_length=150, help_text="Theirs for ever: it is never given to anyone else.")
    email = forms.EmailField(label="Mail address", required=False)
    badge = name_field("Badge", max_length=60, required=False, help_text="Scan it. A badge says who; it never signs.")


class GrantForm(forms.Form):
    role = ChosenField(label="Role")
    until = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="Last day, at this site.")
    hour = forms.TimeField(
        label="Until, on that day", required=False, widget=forms.TimeInput(attrs={"type": "time"}), help_text="For inspectors and support: their hour."
    )

    def __init__(self, *args, roles=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", ""), *((str(role.pk), role.name) for role in roles)]


class TrainingForm(forms.Form):
    subject = ChosenField(label="Trained for", required=False)
    title = forms.CharField(label="Another procedure, in words", max_length=200, required=False)
    until = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="Last day, at this site.")

    def __init__(self, *args, subjects=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["subject"].choices = [("", ""), *subjects]

    def clean(self):
        if not self.cleaned_data.get("subject") and not self.cleaned_data.get("title", "").strip():
            self.add_error("subject", "Choose what the training is for, or write it below.")
        return self.cleaned_data


class TrainingOfSeveralForm(TrainingForm):
    """One training that several people had; each of them gets a record of their own."""

    people = forms.MultipleChoiceField(label="Who was trained", widget=forms.CheckboxSelectMultiple)

    field_order = ("people", "subject", "title", "until")

    def __init__(self, *args, people=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["people"].choices = people


class IdentityForm(forms.Form):
    means = forms.CharField(label="How you checked it", max_length=200, min_length=3, help_text="For example: passport, in person. No number of a paper.")


class NoticeForm(forms.Form):
    sent_on = forms.DateField(label="Sent on", widget=forms.DateInput(attrs={"type": "date"}))
    reference = forms.CharField(label="Reference", max_length=200, min_length=3, help_text="Under which the notice can be found again.")


class TokenForm(forms.Form):
    equipment = forms.CharField(label="Equipment")

    def __init__(self, *args, equipment=(), **kwargs):
        super().__init__(*args, **kwargs)
        if equipment:
            self.fields["equipment"] = ChosenField(label="Equipment", choices=[("", ""), *equipment])
        else:
            self.fields["equipment"] = forms.UUIDField(label="Equipment", help_text="Its identifier in the register of equipment.")


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Reason", min_length=3, max_length=400)
