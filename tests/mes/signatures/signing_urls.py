"""Addresses of signing pages made for tests: a role's record is signed, with each strength of proof."""

from __future__ import annotations

from django.urls import include, path

from mes.people.models import Role
from mes.records.context import site_context
from mes.signatures import ceremony, services
from mes.signatures.pages import SigningPage


def subject(role_id):
    role = Role.objects.one(pk=role_id)
    return ceremony.subject(role, "role/1", {"name": role.name, "permissions": role.permissions})


class SignRole(SigningPage):
    def meaning_code(self, role_id, meaning):
        return meaning

    def what(self, role_id, meaning):
        return subject(role_id)

    def summary(self, role_id, meaning):
        role = Role.objects.one(pk=role_id)
        rows = [{"label": "Name", "value": role.name}, {"label": "Rights", "value": ", ".join(role.permissions)}]
        return {"title": "Sign the role", "rows": rows, "back_url": "/", "back_label": "Back", "ok": "Sign: role"}

    def sign(self, proof, role_id, meaning):
        with site_context(self.by.site_id):
            what = subject(role_id)
        return self.do(services.sign, proof=proof, what=what, meaning=meaning, stream=f"site:{self.by.site_id}")

    def done_url(self, result, **kwargs):
        return f"/signed/{result.pk}/"


urlpatterns = [path("sign/<uuid:role_id>/<slug:meaning>/", SignRole.as_view()), path("", include("mes.urls"))]
