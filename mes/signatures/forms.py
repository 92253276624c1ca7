"""The shape of what is typed about deputies."""

from __future__ import annotations

from django import forms

from mes.people.forms import name_field
from mes.web.fields import ChosenField


def moment_field(label: str, **more) -> forms.DateTimeField:
    """A moment, typed in the site's zone."""
    return forms.DateTimeField(label=label, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **more)


class DeputyForm(forms.Form):
    deputy = name_field("User name of the deputy")
    principal = name_field("User name of the person whose place is taken")
    role = ChosenField(label="Role")
    starts_at = moment_field("From", help_text="At this site's time.")
    ends_at = moment_field("Until", help_text="At this site's time.")
    reason = forms.CharField(label="Reason", min_length=3, max_length=400)

    def __init__(self, *args, roles=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", ""), *((str(role.pk), role.name) for role in roles)]
