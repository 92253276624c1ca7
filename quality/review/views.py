"""Pages of the review by exception: the exceptions first, what was checked beside, the rest one click away."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.urls import reverse

from batches.dossier import queries as dossier
from batches.execution.models import Entry
from batches.lots import overview
from batches.lots.band import band
from batches.lots.states import LOT_WORDS
from mes.clock import record_now, short_words
from mes.errors import UnreadableInput
from mes.permissions import Permission as MesPermission
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from mes.web.gauge import Limits
from mes.web.pages import Page
from mes.web.timeline import Mark
from mes.words import counted
from quality.permissions import Permission
from quality.review import queries, services
from quality.review.forms import DecisionForm
from quality.review.kinds import RULES_VERSION
from quality.review.queries import DECISIONS, ExceptionLine, Picture
from quality.review.rules import SIGNABLE
from quality.samples.queries import lot_by_number

RISK_STATE = {"critical": "alarm", "major": "alarm", "minor": "warn", "note": ""}
RISK_WORDS = {"critical": "Critical", "major": "Major", "minor": "Minor", "note": "To note"}
CONSEQUENCES = {
    "justified": "No more is needed",
    "needs_deviation": "Opens one if there is none",
    "needs_correction": "Stays open here",
    "escalate": "Stays open here",
}
READERS = (Permission.REVIEW_LOT, Permission.CERTIFY_LOT, MesPermission.READ_AUDIT)
PAGE = 100


def review_url(number: str) -> str:
    return reverse("quality:review:review", kwargs={"number": number})


class ListPage(Page):
    """Lots that wait for a review or are being made."""

    permission = READERS
    template_name = "_shells/list.html"
    title = "Review"

    def read(self) -> dict:
        rows = []
        for each in queries.reviewable_lots(self.by.site_id):
            lot, review = each["lot"], each["review"]
            word, state = self.standing(lot, review)
            rows.append(
                {
                    "url": review_url(lot.number),
                    "cells": [
                        {"text": lot.number, "sub": f"check code {lot.check_code}", "mono": True},
                        {"text": lot.recipe_version.master.name},
                        {"text": LOT_WORDS[lot.state]},
                        {"word": word, "state": state},
                        {"text": review.reviewed_by.full_name if review and review.reviewed_by_id else "–"},
                    ],
                }
            )
        return {
            "heading": "Review", "lead": "Lots that are made and wait for their review stand first.", "caption": "Lots to review", "table_id": "reviews",
            "columns": ["Lot", "Recipe", "State", "Review", "Last signed by"], "rows": rows, "empty_title": "No lot waits for a review.",
            "empty_text": "Lots appear here from the day they start.",
        }  # fmt: skip

    @staticmethod
    def standing(lot, review) -> tuple[str, str]:
        """The word and state of a lot's review."""
        if review is not None and review.state == "reviewed":
            return "Signed", ""
        if lot.state in {"manufactured", "in_review"} or (review is not None and review.reviewed_by_id):
            return "To sign", "todo"
        return "Being made", "now"


class ReviewPage(Page):
    """`/lots/<number>/review/`: the list, one exception with what is around it, the decision, what was checked."""

    permission = READERS
    template_name = "quality/review/review.html"
    title = "Review"

    def read(self, number: str) -> dict:
        lot = lot_by_number(number)
        shown = queries.picture(lot)
        current = self.current(shown)
        zone = ZoneInfo(self.request.site.time_zone)
        rights = self.request.rights
        may = Permission.REVIEW_LOT in rights
        to_decide = [line for line in queries.sorted_by_risk(shown.lines) if not line.is_settled]
        settled = [line for line in queries.sorted_by_risk(shown.lines) if line.is_settled]
        return band(lot) | {
            "page_title": f"Review {lot.number}",
            "the_lot": lot,
            "shown": shown,
            "newer": newer(shown),
            "newer_words": f"{counted(len(shown.newer), 'entry', 'entries')} came after the signed review.",
            "newer_text": "Look at what stands here, then sign again." if lot.state in SIGNABLE else f"{LOT_WORDS[lot.state]}: its review is not signed again.",
            "groups_open": grouped(self, to_decide, current),
            "groups_done": grouped(self, settled, current),
            "current": current,
            "detail": detail(shown, current) if current else None,
            "following": following(shown, current),
            "options": [{"value": value, "label": label, "consequence": CONSEQUENCES[value]} for value, label in DECISIONS.items()],
            "checks": queries.checks(shown),
            "rules_version": shown.review.rules_version if shown.review else RULES_VERSION,
            "line": overview.line(lot, overview.stages(lot), record_now(), zone, [mark(line) for line in shown.lines]),
            "signatures": signatures(shown),
            "may_decide": may,
            "may_open": may and shown.review is None,
            "may_sign": may and shown.review is not None and not shown.is_current and not shown.to_decide and lot.state in SIGNABLE,
            "may_release": Permission.CERTIFY_LOT in rights,
            "band_acts": "quality/review/_acts.html",
        }  # fmt: skip

    def current(self, shown: Picture) -> ExceptionLine | None:
        """The exception that is asked for, else the first that needs a decision, else the first."""
        if self.request.method == "POST":
            key = self.request.POST.get("exception", "")
            return next((line for line in shown.lines if line.key == key), None)
        asked = self.request.GET.get("e", "")
        by_number = {str(line.number): line for line in shown.lines}
        ordered = queries.sorted_by_risk(shown.lines)
        return by_number.get(asked) or next((line for line in ordered if not line.is_settled), None) or next(iter(ordered), None)

    def post(self, request, number: str) -> HttpResponse:
        with site_context(self.by.site_id):
            lot_id = lot_by_number(number).pk
        if request.POST.get("act") == "open":
            self.do(services.open_review, lot_id=lot_id)
            self.say("The review is open.")
            return self.done(review_url(number))
        form = DecisionForm(request.POST)
        if not form.is_valid():
            raise UnreadableInput("unknown_decision", "Choose one of the four decisions.", field="decision")
        self.do(services.disposition, lot_id=lot_id, **form.cleaned_data)
        with site_context(self.by.site_id):
            shown = queries.picture(lot_by_number(number))
            following_one = following(shown, shown.line(form.cleaned_data["exception"]))
        self.say("Recorded." if following_one else "Recorded. Every exception is decided.")
        return self.done(f"{review_url(number)}{f'?e={following_one.number}' if following_one else ''}")


def grouped(page: ReviewPage, lines: list[ExceptionLine], current: ExceptionLine | None) -> list[dict]:
    """The list at the left, by step."""
    groups: list[dict] = []
    for line in lines:
        if not groups or groups[-1]["where"] != line.where:
            groups.append({"where": line.where, "lines": []})
        done = f"{line.decision_words}, {line.disposition.by.full_name}" if line.disposition else ""
        groups[-1]["lines"].append(
            {
                "number": line.number, "title": line.finding.title, "where": done or who_when(page, line),
                "severity": RISK_WORDS.get(line.finding.risk, "Major"),
                "state": RISK_STATE.get(line.finding.risk, "alarm"), "done": line.is_settled, "current": line is current, "url": f"?e={line.number}",
            }
        )  # fmt: skip
    return groups


def who_when(page: ReviewPage, line: ExceptionLine) -> str:
    return ", ".join(part for part in (line.finding.who, short_words(line.finding.at, page.request.site.time_zone)) if part)


def following(shown: Picture, current: ExceptionLine | None) -> ExceptionLine | None:
    """The next exception that needs a decision, after this one."""
    ordered = queries.sorted_by_risk(shown.lines)
    at = next((index for index, line in enumerate(ordered) if current is not None and line.key == current.key), -1)
    waiting = [line for line in (*ordered[at + 1 :], *ordered[: max(at, 0)]) if not line.is_settled]
    return waiting[0] if waiting else None


def detail(shown: Picture, line: ExceptionLine) -> dict:
    """One exception with its value in its limits, the step's other values, and the entries around it."""
    entry = Entry.objects.filter(pk=line.finding.entry_id).select_related("by").first() if line.finding.entry_id else None
    limits = limits_of(entry) if entry is not None else None
    beside = []
    if line.finding.run_id:
        others = Entry.objects.filter(step_run_id=line.finding.run_id, superseded_by=None).select_related("by").order_by("recorded_at")[:9]
        names = {p.key: p.name for _, p in shown.recipe.parameters()}
        beside = [{"name": names.get(each.parameter, each.parameter), "entry": each} for each in others if entry is None or each.pk != entry.pk][:8]
    around = dossier.annex(shown.lot, only=[each.seq for each in queries.neighbours(shown, line)])
    return {
        "state": RISK_STATE.get(line.finding.risk, "alarm") if not line.is_settled else "",
        "word": RISK_WORDS.get(line.finding.risk, "Major"),
        "entry": entry,
        "limits": limits,
        "beside": beside,
        "around": [{"item": item, "own": item.seq in line.seqs} for item in around],
        "step_url": f"/lots/{shown.lot.number}/steps/{line.step_key}/" if line.step_key else "",
        "history": history_of(shown, line),
    }


def newer(shown: Picture) -> list[dict]:
    """What came after the signed review and opens it again, oldest first, in the words of the trail (AUD-11)."""
    return [{"item": item} for item in dossier.annex(shown.lot, only=[entry.seq for entry in shown.newer])] if shown.newer else []


def history_of(shown: Picture, line: ExceptionLine) -> list:
    """Earlier decisions about the same exception, newest first."""
    from quality.review.models import Disposition

    found = Disposition.objects.filter(lot=shown.lot, exception=line.key).select_related("by").order_by("-recorded_at")
    return [{"made": each, "words": DECISIONS.get(each.decision, each.decision)} for each in found]


def limits_of(entry: Entry) -> Limits | None:
    """The limits a number was judged with, for the gauge; the tightest that was binding, with the alert zone."""
    kept = entry.limits or {}

    def bound(name: str, side: str) -> Decimal | None:
        text = (kept.get(name) or {}).get(side) or (kept.get(name) or {}).get(f"{side}_exclusive")
        return Decimal(text) if text else None

    binding = "action" if kept.get("action") else "hard" if kept.get("hard") else "alert"
    limits = Limits(bound(binding, "min"), bound(binding, "max"), bound("alert", "min"), bound("alert", "max"))
    has = any(each is not None for each in (limits.low, limits.high))
    return limits if has and entry.value is not None else None


def mark(line: ExceptionLine) -> Mark:
    """The exception on the timeline: a triangle for a passed limit, a diamond for the rest; grey once decided."""
    shape = "triangle" if line.finding.kind in {"limit", "result", "transport"} else "diamond"
    return Mark(line.number, line.finding.at, shape, "" if line.is_settled else RISK_STATE.get(line.finding.risk, "alarm"))


def signatures(shown: Picture) -> list[dict]:
    """Who signed so far, and what is still open."""
    made = [each.signature for each in shown.signatures.signatures]
    found = []
    if made:
        last = made[-1]
        found.append({"name": last.full_name, "meaning": f"{counted(len(made), 'signature')} of steps, the last one", "at": last.recorded_at})
    review = shown.review
    if shown.is_current:
        found.append(
            {"name": review.reviewed_by.full_name, "meaning": "Record and exceptions reviewed", "at": review.history.order_by("-version").first().history_date}
        )
    else:
        wants = f"after {len(shown.to_decide)} exceptions" if len(shown.to_decide) > 1 else "after one exception" if shown.to_decide else "can sign now"
        found.append({"name": "QA reviewer", "meaning": wants, "open": True})
    decided = shown.lot.release_decisions.filter(superseded_by=None).select_related("signature").order_by("-recorded_at").first()
    if decided is None:
        found.append({"name": "Qualified Person", "meaning": "release decision", "open": True})
    else:
        found.append({"name": decided.signature.full_name, "meaning": decided.signature.meaning_text, "at": decided.recorded_at})
    return found


class EntriesPage(Page):
    """`/lots/<number>/review/entries/`: the entries that met every rule, so that a reviewer can open the rest."""

    permission = READERS
    template_name = "quality/review/entries.html"
    title = "Informational entries"

    def read(self, number: str) -> dict:
        lot = lot_by_number(number)
        shown = queries.picture(lot)
        entries = shown.informational_entries()
        at = self.page_number(len(entries))
        chosen = entries[at * PAGE : (at + 1) * PAGE]
        items = dossier.annex(lot, only=[entry.seq for entry in chosen])
        first, last = at * PAGE + 1, at * PAGE + len(chosen)
        return band(lot) | {
            "page_title": f"Informational entries of {lot.number}",
            "heading": "Entries that met every rule",
            "lead": f"{shown.sum_words}. Rules {RULES_VERSION}.",
            "items": items,
            "review_url": review_url(number),
            "pager": {
                "words": f"{first} to {last} of {len(entries)}" if entries else "None",
                "previous_url": f"?page={at}" if at else "",
                "next_url": f"?page={at + 2}" if last < len(entries) else "",
            },
        }

    def page_number(self, count: int) -> int:
        text = self.request.GET.get("page", "1")
        number = int(text) if text.isdecimal() and len(text) < 6 else 1
        return max(0, min(number - 1, max(0, (count - 1) // PAGE)))


class SignPage(SigningPage):
    """`/lots/<number>/review/sign/`: the reviewer signs every decision and the trail up to its last entry."""

    permission = Permission.REVIEW_LOT
    meaning = "reviewed"
    title = "Sign the review"

    def what(self, number: str):
        return queries.subject_of(queries.picture(lot_by_number(number)))

    def summary(self, number: str) -> dict:
        lot = lot_by_number(number)
        shown = queries.picture(lot)
        rows = [
            {
                "label": f"{line.number}. {line.finding.title}", "value": line.decision_words or "Open", "state": "" if line.is_settled else "alarm",
                "word": "" if line.is_settled else "Open",
                "sub": "; ".join(each for each in (line.where, line.disposition.comment if line.disposition else "") if each),
            }
            for line in shown.lines
        ]  # fmt: skip
        rows.append({"label": "Audit trail", "value": shown.sum_words, "sub": f"Rules {RULES_VERSION}. Covered up to entry {shown.last_loud}."})
        return band(lot) | {
            "page_title": f"Sign the review of {lot.number}",
            "title": "Sign the review of",
            "rows": rows,
            "caption": "You are signing for these decisions and this trail",
            "ok": "Sign the review",
            "foot": "Who worked in the lot does not review it. A later entry opens the review again.",
            "back_url": review_url(number),
            "back_label": "Back to the review",
        }

    def sign(self, proof, number: str):
        with site_context(self.by.site_id):
            shown = queries.picture(lot_by_number(number))
        seen = shown.review.version if shown.review else -1
        return self.do(services.finish_review, lot_id=shown.lot.pk, seen=seen, proof=proof)

    def done_url(self, result, number: str) -> str:
        return review_url(number)
