"""Pages of alerts: whose they are, who was told, and taking note."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from batches.lots.band import band
from mes.checkpoints.queries import last_check
from mes.clock import moment_words, short_words
from mes.people.models import Site
from mes.web.pages import FragmentPage, Page
from quality.alerts import heartbeats, queries, secrets, services
from quality.alerts.models import Alert
from quality.permissions import Permission

STATE = {"alarm": "alarm", "warning": "warn"}
WORDS = {"alarm": "Alarm", "warning": "Warning", "notice": "Notice"}


def url_of(alert: Alert) -> str:
    return reverse("quality:alerts:detail", kwargs={"alert_id": alert.pk})


class ListPage(Page):
    """Alerts that wait for this person's roles, and the site's others."""

    permission = Permission.ACKNOWLEDGE_ALERTS
    template_name = "quality/alerts/list.html"
    title = "Alerts"

    def read(self) -> dict:
        zone = self.request.site.time_zone
        mine = self.request.GET.get("show", "mine") == "mine"
        found = queries.for_person(self.by.user_id, self.by.site_id) if mine else queries.all_of(self.by.site_id)[:500]
        rows = [
            {
                "url": url_of(each),
                "cells": [
                    {"text": each.title, "sub": queries.told(each)[0], "clamp": True},
                    {"word": WORDS[each.severity], "state": STATE.get(each.severity, "")} if each.state == "raised" else {"text": WORDS[each.severity]},
                    {"text": each.lot.number if each.lot_id else "–", "mono": True},
                    {"text": short_words(each.recorded_at, zone), "sub": f"told {each.level + 1} time{'s' if each.level else ''}"},
                    {"text": "Waits" if each.state == "raised" else f"{each.acknowledged_by.full_name}, {short_words(each.acknowledged_at, zone)}"},
                ],
            }
            for each in found
        ]
        base = reverse("quality:alerts:list")
        return {
            "heading": "Alerts", "caption": "Alerts", "columns": ["What", "How urgent", "Lot", "Raised", "Acknowledged"], "rows": rows, "table_id": "alerts",
            "empty_title": "No alert waits for you.", "empty_text": "New ones appear here and in your mail.",
            "tabs": [{"label": "For me", "url": base, "current": mine}, {"label": "All", "url": f"{base}?show=all", "current": not mine}],
        }  # fmt: skip


class AlertPage(Page):
    """One alert: what to know, who was told, and one act: to take note."""

    permission = Permission.ACKNOWLEDGE_ALERTS
    template_name = "quality/alerts/detail.html"
    title = "Alert"

    def read(self, alert_id) -> dict:
        alert, zone = queries.one(alert_id), self.request.site.time_zone
        shown = band(alert.lot) if alert.lot_id else {}
        kind, _, what = alert.cause.partition(":")
        lead, exact = queries.told(alert)
        return shown | {
            "page_title": alert.title, "heading": alert.title, "lead": lead, "exact": exact, "alert": alert,
            "status_word": WORDS[alert.severity] if alert.state == "raised" else "Acknowledged",
            "status_state": STATE.get(alert.severity, "") if alert.state == "raised" else "",
            "pairs": [
                {"k": "Raised", "v": moment_words(alert.recorded_at, zone)},
                {"k": "Told", "v": ", ".join(queries.role_names(alert))},
                {"k": "Tells more people", "v": moment_words(alert.next_escalation_at, zone) if alert.next_escalation_at else ""},
                {"k": "Acknowledged by", "v": alert.acknowledged_by.full_name if alert.acknowledged_by_id else ""},
            ],
            "deliveries": queries.deliveries_of(alert),
            "deviation": queries.deviation_number(what) if kind == "deviation" else "",
        }  # fmt: skip


class AcknowledgePage(AlertPage):
    """A person takes note of an alert."""

    def post(self, request, alert_id) -> HttpResponse:
        seen = request.POST.get("seen", "")
        alert = self.do(services.acknowledge, alert_id=alert_id, seen=int(seen) if seen.isdecimal() else -1)
        self.say("Acknowledged. Nobody else is told any more.")
        return self.done(url_of(alert))


class AlertPanel(FragmentPage):
    """Alerts of this person, on the first page; and what the watch itself has not done."""

    permission = Permission.ACKNOWLEDGE_ALERTS
    template_name = "quality/alerts/_panel.html"
    title = "Alerts"

    def read(self) -> dict:
        found = queries.for_person(self.by.user_id, self.by.site_id)
        return {
            "alerts": [{"it": each, "url": url_of(each), "state": STATE.get(each.severity, ""), "word": WORDS[each.severity]} for each in found[:8]],
            "count": len(found),
            "silent": heartbeats.missed([self.by.site_id]),
        }


class WatchPanel(FragmentPage):
    """Whether the watch runs: for the floor, where a silent watch has to be seen (decisions 25)."""

    template_name = "quality/alerts/_watch.html"
    title = "Watch"

    def read(self) -> dict:
        return {"silent": heartbeats.missed([self.by.site_id]), "site": Site.objects.get(pk=self.by.site_id)}


class SecretsPanel(FragmentPage):
    """What changed of one's own password, PIN, authenticator and passkeys: under the own name."""

    template_name = "quality/alerts/_secrets.html"
    title = "Changes of your secrets"

    def read(self) -> dict:
        notices = queries.secret_notices(self.by.user_id)
        return {"told": [secrets.sentence(each, self.request.site.time_zone) for each in notices], "if_not_you": secrets.IF_NOT_YOU}


class TrailMark(FragmentPage):
    """Whether the trail and the guards hold: on the floor and on every page about a lot, so that work behind a break is marked (decisions 8)."""

    template_name = "quality/alerts/_trail.html"
    title = "Trail and guards"

    def read(self) -> dict:
        check = last_check(self.by.site_id)
        return {"found": check is not None and not check.holds, "check": check}
