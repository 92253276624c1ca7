"""The trail as people read it: a page with filters and a drawer for one stream. 21 CFR 11.10(e); Annex 11 (2011) 9."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from django import forms
from django.http import StreamingHttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from mes import acts, clock
from mes.audit import kinds, past, queries, readable, streams
from mes.audit.models import AuditEntry
from mes.clock import moment_of
from mes.inspection import refusals
from mes.permissions import Permission
from mes.records.context import site_context
from mes.web.pages import FragmentPage, Page

# A filter opens on what narrows nothing: nothing is chosen for anybody by that.
WEIGHTS = [("", "all"), ("significant", "not routine"), ("routine", "routine")]
ORDERS = [("", "newest first"), ("oldest", "oldest first")]


class FilterForm(forms.Form):
    lot = forms.CharField(label="Lot", required=False, max_length=40)
    person = forms.CharField(label="Person", required=False, max_length=100)
    event = forms.ChoiceField(label="Act", required=False, widget=forms.Select)
    significance = forms.ChoiceField(label="Weight", required=False, widget=forms.Select, choices=WEIGHTS)
    text = forms.CharField(label="Reason, role or name", required=False, max_length=100)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    order = forms.ChoiceField(label="Order", required=False, widget=forms.Select, choices=ORDERS)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        named = sorted((readable.event_words([code]), code) for code in kinds.every_event())
        self.fields["event"].choices = [("", "all"), *((code, words) for words, code in named)]


def shown(entries: Sequence[AuditEntry], zone: str) -> list[dict]:
    """Entries with their lines and their stream's name, for the template."""
    lines = readable.describe_all(entries, zone=zone)
    names = streams.names_of(entry.stream for entry in entries)
    return [
        {
            "entry": entry,
            "event": readable.event_words(entry.events),
            "stream": names[entry.stream],
            "stream_url": address_of(entry.stream),
            "lines": lines[entry.pk],
            "significant": not kinds.is_routine(entry.events) or any(line.notable for line in lines[entry.pk]),
        }
        for entry in entries
    ]


def address_of(stream: str) -> str:
    """The page of a stream's own trail; empty for one that belongs to no record."""
    kind, key = streams.split(stream)
    return reverse("mes:inspection:stream", args=[kind, key]) if key else ""


class AuditPage(Page):
    """Everything at this site, narrowed by lot, person, act, weight, words and days."""

    permission = Permission.READ_AUDIT
    template_name = "mes/inspection/trail.html"
    title = "Audit trail"

    def read(self) -> dict:
        zone, asked = self.request.site.time_zone, self.request.GET
        form = FilterForm(asked or None)
        if unreadable(form):
            return {"form": form, "order": "Nothing is shown", "entries": [], "unreadable": True}
        typed = form.cleaned_data if form.is_bound else {}
        lot = typed.get("lot", "").strip()
        wanted = queries.Wanted(
            lot_ids=frozenset(streams.lots_called(lot)) if lot else None,
            event=typed.get("event", ""),
            significance=typed.get("significance", ""),
            person=typed.get("person", ""),
            text=typed.get("text", ""),
            since=midnight(typed.get("since"), zone),
            until=midnight(typed.get("until"), zone, days=1),
        )
        oldest = typed.get("order") == "oldest"
        page = queries.entries(wanted, before=asked.get("before", ""), oldest_first=oldest)
        return {
            "form": form,
            "order": "Oldest first" if oldest else "Newest first",
            "entries": shown(page.entries, zone),
            "pager": pager_of(asked, len(page.entries), page.older, "oldest first" if oldest else "newest first"),
        }


def unreadable(form: forms.Form) -> bool:
    """Whether the filter cannot be read. Then nothing is shown: an unnarrowed trail would pass for the narrowed one."""
    return form.is_bound and not form.is_valid()


def pager_of(asked, count: int, mark: str, order: str) -> dict:
    """Earlier and later part of a list that is read by keys: back means from its beginning."""
    kept = {name: value for name, value in asked.items() if name != "before" and value}
    return {
        "words": f"{count} shown, {order}",
        "previous_url": "?" + urlencode(kept) if asked.get("before") else "",
        "next_url": "?" + urlencode(kept | {"before": mark}) if mark else "",
        "previous_words": "First page",
        "next_words": "Next page",
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
            "past_url": f"{self.request.path}as-of/",
            "entries": shown(page.entries, self.request.site.time_zone),
            "count": count,
            "unbroken": head is not None and head.seq == count,
            "older": page.older,
            "older_url": f"{self.request.path}?{urlencode({'before': page.older})}",
            "more_only": bool(self.request.GET.get("before")),
        }


class AsOfForm(forms.Form):
    at = forms.CharField(label="Day and time", max_length=30, widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}))


class AsOfPage(Page):
    """A stream's records and facts as they stood at a past moment of record time."""

    permission = Permission.READ_AUDIT
    template_name = "mes/inspection/as_of.html"
    title = "As of a past time"

    def read(self, kind, stream_id) -> dict:
        stream, zone = f"{kind}:{stream_id}", self.request.site.time_zone
        at = moment_of(self.request.GET.get("at", ""), zone)
        past_then = past.as_of(stream, at, zone=zone) if at else None
        name = streams.names_of([stream])[stream]
        local = (at or clock.record_now()).astimezone(ZoneInfo(zone))
        return {
            "name": name, "page_title": f"{name} as of a past time", "at": at, "past": past_then,
            "form": AsOfForm({"at": local.replace(tzinfo=None).isoformat(timespec="seconds")}), "stream_url": reverse("mes:inspection:stream", args=[kind, stream_id]),
            "things": sum(len(each) for each in past_then.things.values()) if past_then else 0,
        }  # fmt: skip


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
        page = refusals.refused(limit=8)
        about = page.about()
        for event in page.events:
            event.about, event.tried = about.get(event.subject, ""), acts.deed_words(event.attempted) if event.attempted else ""
        return {"events": page.events}


class RefusalForm(forms.Form):
    person = forms.CharField(label="Person", required=False, max_length=100)
    kind = forms.ChoiceField(label="Kind", required=False, widget=forms.Select)
    text = forms.CharField(label="Words or code", required=False, max_length=100)
    lot = forms.CharField(label="Lot", required=False, max_length=40)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, kinds_known: Sequence[str] = (), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "all"), *((each, acts.kind_words(each)) for each in kinds_known)]


class RefusalsPage(Page):
    """Every refused attempt of the site, newest first, narrowed by person, kind, words, lot and days. 21 CFR 11.300(d)."""

    permission = Permission.READ_AUDIT
    template_name = "mes/inspection/refusals.html"
    title = "Refused attempts"

    def read(self) -> dict:
        zone, asked = self.request.site.time_zone, self.request.GET
        form = RefusalForm(asked or None, kinds_known=refusals.kinds_known())
        if unreadable(form):
            return {"form": form, "events": [], "unreadable": True}
        typed = form.cleaned_data if form.is_bound else {}
        lot = typed.get("lot", "").strip()
        page = refusals.refused(
            person=typed.get("person", ""), kind=typed.get("kind", ""), text=typed.get("text", ""),
            subjects={str(key) for key in streams.lots_called(lot)} if lot else None,
            since=midnight(typed.get("since"), zone), until=midnight(typed.get("until"), zone, days=1), before=asked.get("before", ""),
        )  # fmt: skip
        about = page.about()
        for event in page.events:
            event.about, event.kind_words = about.get(event.subject, ""), acts.kind_words(event.kind)
            event.tried = acts.deed_words(event.attempted) if event.attempted else "–"
        return {"form": form, "events": page.events, "pager": pager_of(asked, len(page.events), page.older, "newest first")}


def midnight(day: dt.date | None, zone: str, days: int = 0) -> dt.datetime | None:
    """The beginning of a day at the site, some days later."""
    return None if day is None else dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), ZoneInfo(zone))
