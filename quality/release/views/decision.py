"""The gate on the lot's page, the release page, and the signed decisions."""

from __future__ import annotations

from django.urls import reverse

from batches.lots.band import band
from batches.lots.states import LOT_WORDS
from batches.permissions import Permission as BatchPermission
from mes.clock import day_words, record_now
from mes.errors import Missing
from mes.permissions import Permission as AuditPermission
from mes.records import guard_words
from mes.records.context import site_context
from mes.signatures import shown
from mes.signatures.pages import SigningPage
from mes.web.pages import FragmentPage, Page
from mes.words import counted
from quality.permissions import Permission
from quality.release import integrity, kept, queries, services
from quality.release.gate import GateLine, blocking, lines_of
from quality.review.queries import picture
from quality.samples import queries as samples

STAGE_WORDS = {"stage_1": "Stage 1", "final": "Final"}
DECISIONS = ("stage-1", "final", "reject", "withdraw")


def release_url(number: str) -> str:
    return reverse("quality:release:release", kwargs={"number": number})


DECIDED = frozenset({"certified_final", "rejected", "withdrawn", "terminated", "cancelled", "manufactured_not_infused"})
"""States of a lot in which no certification is left to decide: its conditions are looked up, and nothing waits for them."""


def shown_lines(lines: list[GateLine], number: str) -> list[dict]:
    """The gate's lines for `ready.html`, each leading to where it is answered."""
    places = {
        "steps": f"/lots/{number}/", "exceptions": f"/lots/{number}/review/", "review": f"/lots/{number}/review/#newer", "deviations": "/deviations/",
        "results_in": f"/lots/{number}/qc/", "results_meet": f"/lots/{number}/qc/", "results_reviewed": f"/lots/{number}/qc/",
        "verdicts": f"/lots/{number}/qc/",
        "labels": f"/lots/{number}/labels/",
        "bags": f"/lots/{number}/labels/",
    }  # fmt: skip
    return [
        {"text": line.text, "beside": line.detail, "state": "" if line.state == "done" else line.state, "url": "" if line.ok else places.get(line.code, "")}
        for line in lines
    ]


class GatePanel(FragmentPage):
    """What still blocks release, on the lot's page from its first day."""

    permission = BatchPermission.READ_LOTS
    template_name = "quality/release/_panel.html"
    title = "Release"

    def read(self, number: str) -> dict:
        lot, rights = queries.lot_by_number(number), self.request.rights
        standing = queries.standing_decision(lot)
        if lot.state in {"rejected", "terminated", "cancelled"}:
            return {"the_lot": lot, "ended": LOT_WORDS[lot.state], "acts": panel_acts(lot, rights)}
        stage = queries.next_stage(lot)
        lines = [] if lot.state in {"certified_final", "withdrawn", "manufactured_not_infused"} else queries.gate(lot, stage, record_now())
        return {
            "the_lot": lot,
            "standing": standing,
            "why_not": queries.why_not_valid(standing) if standing else "",
            "stage_words": STAGE_WORDS[stage].lower(),
            "closed": shown_lines(blocking(lines), number),
            "open_count": sum(line.ok for line in lines),
            "all_count": len(lines),
            "may_open": Permission.CERTIFY_LOT in rights or Permission.REVIEW_LOT in rights,
            "certificate_url": reverse("quality:release:certificate", kwargs={"number": number}) if Permission.READ_CERTIFICATE in rights else "",
            "acts": panel_acts(lot, rights),
        }


def panel_acts(lot, rights) -> list[dict]:
    """Where to go from the panel: what the person may do about the lot now."""
    certified = lot.state in {"certified_stage_1", "certified_final"}
    found = [
        ("Batch record", f"/lots/{lot.number}/record/", BatchPermission.READ_RECORD in rights),
        ("Evidence file", f"/lots/{lot.number}/evidence/", AuditPermission.MAKE_EVIDENCE in rights),
        ("Review", f"/lots/{lot.number}/review/", Permission.REVIEW_LOT in rights),
        ("Dispatch", f"/lots/{lot.number}/dispatch/", Permission.DISPATCH_PRODUCT in rights and certified),
        ("Infusion", f"/lots/{lot.number}/infusion/", Permission.RECORD_INFUSION in rights and certified),
    ]
    return [{"label": label, "url": url} for label, url, there in found if there]


class ReleasePage(Page):
    """`/lots/<number>/release/`: every condition with its result, and the decisions that can be made."""

    permission = (Permission.CERTIFY_LOT, Permission.REVIEW_LOT)
    template_name = "quality/release/release.html"
    title = "Release"

    def read(self, number: str) -> dict:
        lot = queries.lot_by_number(number)
        decisions = queries.decisions_of(lot)
        certified = {each.kind: each for each in decisions if each.kind in queries.MEANINGS}
        # Where nothing is left to decide, a stage that was never certified has no conditions to show.
        stages = [each for each in queries.MEANINGS if each in certified or not certified or lot.state not in DECIDED]
        asked = self.request.GET.get("stage", "") or queries.next_stage(lot)
        stage = asked if asked in stages else stages[-1]
        made = certified.get(stage)
        ground = queries.ground_of(lot, stage, record_now())
        lines = lines_of(ground)
        may = Permission.CERTIFY_LOT in self.request.rights
        standing = queries.standing_decision(lot)
        return band(lot) | {
            "page_title": f"Release {number}",
            "the_lot": lot,
            "stage": stage,
            "stage_words": STAGE_WORDS[stage],
            "stages": [{"label": STAGE_WORDS[each], "url": f"?stage={each}", "current": each == stage} for each in stages],
            "lines": shown_lines(sorted(kept.as_certified(made) if made else lines, key=lambda line: line.ok), number),
            "closed": blocking(lines),
            "certified": shown.signature(made.signature) if made else None,
            "since": since_lines(made, lines) if made else [],
            "decided": LOT_WORDS[lot.state] if lot.state in DECIDED else "",
            "conditions": [] if made else conditions(ground),
            "acts": acts(lot, ground, lines, number) if may else [],
            "integrity": integrity_acts(lot, lines, self.request.rights),
            "may_decide": may,
            "decisions": [decision_row(each) for each in decisions],
            "standing": standing,
            "why_not": queries.why_not_valid(standing) if standing else "",
            "deviations": ground.deviations,
            "consignees": queries.consignees(lot),
            "certificate_url": reverse("quality:release:certificate", kwargs={"number": number}),
            "may_release": False,
            "band_acts": "quality/review/_acts.html",
        }


def since_lines(decision, lines: list[GateLine]) -> list[dict]:
    """What is otherwise since the certification, for `ready.html`. Amber at most: it closes nothing that was decided."""
    return [{"text": each.text, "beside": each.words, "state": "" if each.holds else "warn"} for each in kept.since(decision, lines)]


def conditions(ground) -> list[dict]:
    """What a certification in this stage leaves open, in words."""
    found = []
    for line in ground.results:
        if line.is_pending_after_release and not ground.is_final and line.standing != "met":
            due = f"Final result due {day_words(line.due, ground.lot.site.time_zone)}. " if line.due else ""
            found.append(
                {
                    "title": f"{line.criterion.name} is not final.",
                    "text": f"Release now is conditional. {due}{ground.lot.therapy_event.physician_name} is told at once if it fails.",
                    "state": "",
                }
            )
    return found


def acts(lot, ground, lines: list[GateLine], number: str) -> list[dict]:
    """The decisions that the lot's state allows, each with what follows; a closed gate shows none of the certifications."""

    def act(decision: str, label: str, text: str, primary: bool = False) -> dict:
        return {"label": label, "text": text, "primary": primary, "url": reverse("quality:release:sign", kwargs={"number": number, "decision": decision})}

    found = []
    open_gate = not blocking(lines)
    if lot.state in {"in_review", "certified_stage_1"} and open_gate:
        if ground.is_final:
            found.append(act("final", "Certify, final", "Every required result is in. The certificate takes the place of stage 1.", True))
        else:
            pending = ", ".join(line.criterion.name.lower() for line in ground.results if line.is_pending_after_release)
            found.append(act("stage-1", f"Certify, {pending} pending", "The lot may be dispatched. The certificate says what is pending.", True))
    if lot.state in {"manufactured", "in_review"}:
        found.append(act("reject", "Reject", "The lot is never supplied. This ends it."))
    if lot.state in {"certified_stage_1", "certified_final"}:
        found.append(act("withdraw", "Withdraw the certification", "Dispatch stops at once, and everybody who has the product is alerted."))
    return found


def integrity_acts(lot, lines: list[GateLine], rights) -> dict | None:
    """Where the trail or a guard does not hold: what two persons of quality can do about it, and what they did (decisions 8)."""
    if all(line.ok and not line.assessed for line in lines if line.code in {"chain", "guards"}):
        return None
    findings = integrity.findings_of(lot)
    waiting, there = integrity.unconfirmed(lot, findings), integrity.standing(lot, findings)
    address = {"kwargs": {"number": lot.number}}
    act = None
    if there is None and waiting is None and Permission.ASSESS_DEVIATIONS in rights:
        act = {"label": "Assess what was found", "url": reverse("quality:release:assess_integrity", **address)}
    elif there is None and waiting is not None and Permission.CERTIFY_LOT in rights:
        act = {"label": "Confirm the assessment", "url": reverse("quality:release:confirm_integrity", **address)}
    one = there or waiting
    made = [one.signature, *([one.confirmation.signature] if there else [])] if one else []
    return {
        "findings": [guard_words.said(each) for each in findings], "text": one.text if one else "", "act": act,
        "needs": "" if there else "second" if waiting else "first", "signatures": [shown.signature(each) for each in made],
    }  # fmt: skip


def result_rows(ground) -> list[dict]:
    """The results as they are certified."""
    rows = []
    for line in ground.results:
        found = line.result
        value = found.value_text if found else samples.interim_text(line.interim) or "pending"
        mark = samples.MARKS[found.evidence] if found else ""
        rows.append(
            {
                "label": line.criterion.name, "value": value, "unit": found.unit if found else "",
                "state": "" if line.standing in {"met", "reported"} else "pending",
                "sub": "; ".join(each for each in (line.rule, line.word, mark) if each),
            }
        )  # fmt: skip
    return rows


def judged_rows(ground) -> list[dict]:
    """Deviations with their impact and exceptions with their decision: what a certifier must have seen (SIG-15)."""
    rows = [
        {
            "label": each.number, "value": f"impact {each.impact.replace('_', ' ')}" if each.impact else "impact not assessed",
            "state": "" if each.impact in {"none", "acceptable"} else "alarm", "sub": f"{each.title} {each.classification}, {each.state}",
        }
        for each in ground.deviations
    ]  # fmt: skip
    return rows + [
        {
            "label": f"Exception {line.number}", "value": line.decision_words.lower() or "not decided", "state": "" if line.is_settled else "alarm",
            "sub": f"{line.finding.title} {line.where}",
        }
        for line in ground.shown.lines
    ]  # fmt: skip


def gate_rows(lines: list[GateLine]) -> list[dict]:
    """Every condition with its result."""
    words = {"done": "holds", "pending": "pending", "alarm": "does not hold", "warn": "does not hold"}
    return [{"label": line.text, "value": "assessed" if line.assessed else words[line.state], "state": "" if line.state == "done" else line.state, "sub": line.detail} for line in lines]


def decision_row(decision) -> dict:
    made = decision.signature
    return {
        "words": queries.WORDS[decision.kind],
        "sig": shown.signature(made),
        "reason": decision.reason,
        "why_not": queries.why_not_valid(decision),
    }


class SignDecisionPage(SigningPage):
    """`/lots/<number>/release/<decision>/`: certify in a stage, reject, withdraw; password and one-time code."""

    permission = Permission.CERTIFY_LOT
    title = "Release decision"

    def meaning_code(self, number: str, decision: str) -> str:
        known = {"stage-1": "certified_stage_1", "final": "certified_final", "reject": "rejected", "withdraw": "withdrawn"}
        if decision not in known:
            raise Missing("unknown_decision", "A lot is certified in stage 1 or as final, rejected, or its certification is withdrawn.")
        return known[decision]

    @staticmethod
    def stage(decision: str) -> str:
        return decision.replace("-", "_")

    def what(self, number: str, decision: str):
        self.meaning_code(number, decision)
        lot = queries.lot_by_number(number)
        if decision in {"reject", "withdraw"}:
            return queries.refusal_subject(lot, decision)
        self.ground = queries.ground_of(lot, self.stage(decision), record_now())
        return queries.subject_of(self.ground)

    def with_reason(self, reason: str, number: str, decision: str):
        return queries.refusal_subject(queries.lot_by_number(number), decision, reason) if decision in {"reject", "withdraw"} else None

    def summary(self, number: str, decision: str) -> dict:
        lot = queries.lot_by_number(number)
        shared = band(lot) | {
            "page_title": f"Release decision {number}", "back_url": release_url(number), "back_label": "Not now",
            "foot": "Nobody who made, checked or tested the lot decides about its release.",
        }  # fmt: skip
        if decision in {"reject", "withdraw"}:
            return shared | self.told(lot, decision)
        ground = self.ground
        lines = lines_of(ground)
        return shared | {
            "title": f"Certify, {STAGE_WORDS[ground.stage].lower()}, lot",
            "rows": [*result_rows(ground), *judged_rows(ground), *gate_rows(lines)],
            "caption": "You certify exactly this: every result, every condition, and the whole record behind them",
            "recap_hint": (
                f"{ground.shown.sum_words}. {counted(len(ground.deviations), 'deviation')}. The whole certificate is signed; record version {lot.version}."
            ),
            "ok": "Sign: certify, final" if ground.is_final else "Sign: certify, results pending",
            "notes": [{"state": each["state"], "title": each["title"], "text": each["text"]} for each in conditions(ground)],
        }

    def told(self, lot, decision: str) -> dict:
        shown = picture(lot)
        rows = [
            {"label": "Lot", "value": lot.number}, {"label": "State", "value": LOT_WORDS[lot.state]},
            {"label": "Exceptions", "value": str(len(shown.lines))}, {"label": "Audit trail", "value": shown.sum_words},
        ]  # fmt: skip
        rows += [{"label": f"{each.container.title} went to", "value": each.to_place} for each in queries.consignees(lot)]
        words = "Reject lot" if decision == "reject" else "Withdraw the certification of lot"
        return {"title": words, "rows": rows, "caption": "You decide about this lot", "ok": f"Sign: {'reject' if decision == 'reject' else 'withdraw'}"}

    def sign(self, proof, number: str, decision: str):
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
        given = {"lot_id": lot.pk, "seen": lot.version, "proof": proof}
        if decision == "reject":
            return self.do(services.reject, reason=self.reason, **given)
        if decision == "withdraw":
            return self.do(services.withdraw, reason=self.reason, **given)
        return self.do(services.certify, stage=self.stage(decision), **given)

    def done_url(self, result, number: str, decision: str) -> str:
        return reverse("quality:release:certificate", kwargs={"number": number}) if decision in {"stage-1", "final"} else release_url(number)
