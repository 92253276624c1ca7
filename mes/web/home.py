"""The first page of each person, and the way from a scan to the thing scanned."""

from __future__ import annotations

from django.http import HttpResponse

from mes.errors import Missing, UnreadableInput
from mes.records.context import site_context
from mes.web import panels, scan_targets
from mes.web.pages import Page


class HomePage(Page):
    """What waits for this person: panels of the apps above, each loaded from its own address."""

    template_name = "mes/web/home.html"
    title = "Start"

    def read(self) -> dict:
        return {
            "heading": self.by.full_name,
            "lead": ", ".join(part for part in (self.by.role, self.request.site.name) if part),
            "panels": panels.panels_for(self.request.rights),
        }


class GoPage(Page):
    """To the thing scanned or typed, `?code=`. Nothing is recorded by going somewhere."""

    def get(self, request) -> HttpResponse:
        text = request.GET.get("code", "").strip()
        if not text:
            raise UnreadableInput("no_code", "Nothing was scanned or typed.")
        with site_context(self.by.site_id):
            address = scan_targets.find(scan_targets.Scanned(text, self.by))
        if address is None:
            raise Missing("unknown_code", f"Nothing at this site has the code {text[:60]}. Look at the label, or type its number in full.")
        return self.done(address)
