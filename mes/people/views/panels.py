"""Panels on people for the first page."""

from __future__ import annotations

from mes.people.models import PersonLock
from mes.permissions import Permission
from mes.web.pages import FragmentPage


class LockedPanel(FragmentPage):
    """Who is locked out, for who can lift it."""

    permission = Permission.UNLOCK_PEOPLE
    template_name = "mes/people/_locked.html"
    title = "Locked out"

    def read(self) -> dict:
        return {"locks": PersonLock.objects.filter(site_id=self.by.site_id, open=True).select_related("user").order_by("recorded_at")}
