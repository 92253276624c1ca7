"""The trail as people read it: a page with filters and a drawer for one stream. 21 CFR 11.10(e); Annex 11 (2011) 9."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from django import forms
from django.http import StreamingHttpResponse
from django.utils.http import urlencode

from mes.audit import queries, readable, streams
from mes.audit.models import AuditEntry
from mes.permissions import Permission
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.web.pages import FragmentPage, Page


class FilterForm(forms.Form):
    person = forms.CharField(label="Person", required=False, max_length=100)
    text = forms.CharField(label="Reason, event or role", required=False, max_length=100)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))


def shown(entries: Sequence[AuditEntry], zone: str) -> list[dict]:
    """Entries with their lines and their stream's name, for the template."""
    lines = readable.describe_all(entries, zone=zone)
    names = streams.names_of(entry.stream for entry in entries)
    return [
        {
            "entry": entry,
            "event": readable.event_words(entry.events),
            "stream": names[entry.stream],
            "lines": lines[entry.pk],
            "zone": entry.at.astimezone(ZoneInfo(zone)).tzname(),
            "changed": any(line.old for line in lines[entry.pk]),
        }
        for entry in entries
    ]


class AuditPage(Page):
    """Everything at this site, newest first, narrowed by person, words and days."""

    permission = Permission.READ_AUDIT
    template_name = "mes/inspection/trail.html"
    title = "Audit trail"

    def read(self) -> dict:
        zone, asked = self.request.site.time_zone, self.request.GET
        form = FilterForm(asked or None)
        typed = form.cleaned_data if form.is_bound and form.is_valid() else {}
        wanted = queries.Wanted(
            person=typed.get("person", ""),
            text=typed.get("text", ""),
            since=midnight(typed.get("since"), zone),
            until=midnight(typed.get("until"), zone, days=1),
        )
        page = queries.entries(wanted, before=asked.get("before", ""))
        kept = {name: value for name, value in asked.items() if name != "before" and value}
        return {
            "form": form,
            "entries": shown(page.entries, zone),
            "pager": {
                "words": f"{len(page.entries)} entries, newest first",
                "previous_url": "?" + urlencode(kept) if asked.get("before") else "",
                "next_url": "?" + urlencode(kept | {"before": page.older}) if page.older else "",
            },
        }


class StreamDrawer(FragmentPage):
    """One stream: a drawer over any page, or a page of its own without script."""

    permission = Permission.READ_AUDIT
    template_name = "mes/inspection/_stream.html"
    title = "Audit trail"

    def read(self, kind, stream_id) -> dict:
        stream = f"{kind}:{stream_id}"
        page = queries.entries(queries.Wanted(stream=stream), before=self.request.GET.get("before", ""))
        head = queries.head_of(stream)
        count = queries.count_of_stream(stream)
        name = streams.names_of([stream])[stream]
        return {
            "name": name,
            "page_title": f"Audit trail, {name}",
            "export_url": f"{self.request.path}export.csv",
            "entries": shown(page.entries, self.request.site.time_zone),
            "count": count,
            "unbroken": head is not None and head.seq == count,
            "older": page.older,
            "older_url": f"{self.request.path}?{urlencode({'before': page.older})}",
            "more_only": bool(self.request.GET.get("before")),
        }


class StreamExport(Page):
    """One stream as CSV: every line, from the first entry on, for sorting and searching elsewhere."""

    permission = Permission.READ_AUDIT
    columns = ("no", "at (UTC)", "who", "user name", "role", "event", "what", "field", "old", "new", "reason", "channel", "station")

    def get(self, request, kind, stream_id) -> StreamingHttpResponse:
        answer = StreamingHttpResponse(self.rows(f"{kind}:{stream_id}"), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="audit-{kind}-{stream_id}.csv"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def rows(self, stream: str) -> Iterator[str]:
        """The lines of the file; a streamed answer reads in a context of its own."""
        writer = csv.writer(Echo())
        yield writer.writerow(self.columns)
        with site_context(self.by.site_id):
            for line in readable.lines_of_stream(stream, zone=self.request.site.time_zone):
                cells = (
                    line.seq, line.at.astimezone(dt.UTC).isoformat(), line.who, line.username, line.role, line.event, line.what, line.field,
                    line.old, line.new, line.why, line.channel, line.station,
                )  # fmt: skip
                yield writer.writerow([plain(cell) for cell in cells])


class Echo:
    """What csv.writer writes to: gives each line back."""

    def write(self, line: str) -> str:
        return line


def plain(cell) -> str:
    """Text that a spreadsheet takes for text, never for a formula."""
    text = str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


class RefusalsPanel(FragmentPage):
    """The latest refused attempts, for the first page of who reads the trail."""

    permission = Permission.READ_AUDIT
    template_name = "mes/inspection/_refusals.html"
    title = "Refused attempts"

    def read(self) -> dict:
        return {"events": SecurityEvent.objects.filter(site_id=self.by.site_id).order_by("-recorded_at")[:8]}


def midnight(day: dt.date | None, zone: str, days: int = 0) -> dt.datetime | None:
    """The beginning of a day at the site, some days later."""
    return None if day is None else dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), ZoneInfo(zone))
