"""The station's start page and the board of the floor."""

from __future__ import annotations

from django.urls import reverse

from batches.execution.queries.board import NEAR_EXPIRY, Row, boards, lots_on_the_floor, next_runs
from batches.execution.queries.runs import is_after_release, recipe_of
from batches.execution.rules.people import may_check
from batches.execution.rules.steps import CERTIFIED
from batches.lots.band import product_name
from batches.permissions import Permission
from mes.clock import day_words, record_now
from mes.web.countdown import Countdown, span
from mes.web.pages import FragmentPage, Page
from mes.web.panels import panels_for

CLASSES = {"unclassified": "new"}
BADGES = {"critical": "alarm", "major": "alarm", "unclassified": "warn"}
ORDER = {"alarm": 0, "warn": 1, "hold": 2, "": 3}


def waits_for_certification(lot, run) -> bool:
    """Whether the step of the run opens only when its lot is certified, and the lot is not."""
    return lot.state not in CERTIFIED and is_after_release(recipe_of(lot), run.step_key)


class BoardPage(Page):
    """Every lot of the site on one screen, nearest limit first; it refreshes itself and says when it stops."""

    permission = Permission.READ_LOTS
    template_name = "batches/execution/board.html"
    title = "Floor"

    def read(self) -> dict:
        now = record_now()
        rows = sorted(boards(lots_on_the_floor(), now), key=lambda row: (ORDER[row.state], _due(row), row.lot.number))
        states = [row.state for row in rows]
        return {
            "site": {"name": self.request.site.name, "zone": self.request.site.time_zone},
            "rows": [self.line(row, now) for row in rows],
            "totals": {
                "all": len(rows), "alarm": states.count("alarm"), "warn": states.count("warn"), "hold": states.count("hold"), "calm": states.count(""),
            },
            "now": now,
            "panels": panels_for(self.request.rights, "floor"),
            "refresh_url": reverse("batches:execution:board"),
            "wall": bool(self.request.GET.get("wall")),
        }  # fmt: skip

    def line(self, row: Row, now) -> dict:
        lot, run = row.lot, row.next_run
        done = sum(1 for _, state in row.stages if state == "done")
        return {
            "lot": {
                "check": lot.check_code, "number": lot.number, "product": product_name(lot.recipe_version_id),
                "url": reverse("batches:lots:detail", kwargs={"number": lot.number}),
            },
            "state": row.state,
            "centre": lot.therapy_event.treatment_centre,
            "slot": f"slot {day_words(row.slot, self.request.site.time_zone, year=False)}" if row.slot else "no slot booked",
            "stage": row.stage_title or lot.state.replace("_", " ").capitalize(),
            "stage_sub": f"day {run.day}" if run else "",
            "stages": [{"state": state} for _, state in row.stages],
            "stages_words": f"Stage {min(done + 1, len(row.stages))} of {len(row.stages)}",
            **self.vein(row, now),
            "limit": self.limit(row, now),
            "limit_text": "None running",
            "limit_sub": "",
            **self.deviations(row),
            "next": self.next_words(row),
            "next_sub": f"Step {run.key}" if run else "",
        }  # fmt: skip

    def vein(self, row: Row, now) -> dict:
        """From the end of the collection to the infusion: it runs while both are not there, and stands once the product was given."""
        if row.collected is None:
            return {"vein_text": "Not collected yet" if row.awaited else "Not collected here"}
        if row.infused is not None:
            return {"vein_text": span(row.infused - row.collected), "vein_sub": "Infused after"}
        return {"vein": Countdown("", row.collected, None, now, elapsed=True)}

    def deviations(self, row: Row) -> dict:
        """How many stand in the way of release, by class: the worst with its colour, the others below."""
        counted = [f"{row.deviations.count(each)} {CLASSES.get(each, each)}" for each in dict.fromkeys(row.deviations)]
        if not counted:
            return {"deviations": "None open" if row.assessed else "None", "deviations_state": ""}
        state = "" if row.hold is not None else BADGES.get(row.deviations[0], "")
        return {"deviations": f"{counted[0]} open", "deviations_state": state, "deviations_sub": ", ".join(counted[1:])}

    def limit(self, row: Row, now) -> Countdown | None:
        if row.expiry_is_next:
            start = row.lot.started_at or row.lot.recorded_at
            return Countdown("Dose expires", start, row.expires, now, row.expires - NEAR_EXPIRY, held=row.hold is not None)
        if row.limit is None:
            return None
        standing = row.limit.standing
        return Countdown(row.limit.limit.title, row.limit.start, standing.due, now, standing.warns, held=row.hold is not None)

    def next_words(self, row: Row) -> str:
        if row.hold is not None:
            return "On hold"
        if row.next_run is None:
            return row.lot.state.replace("_", " ").capitalize()
        if waits_for_certification(row.lot, row.next_run):
            return "Certification"
        words = {"performed": "Second person signs", "stopped": "Stopped: supervisor decides"}
        return words.get(row.next_run.state, row.next_title)


def _due(row: Row) -> str:
    if row.expiry_is_next:
        return row.expires.isoformat()
    return row.limit.standing.due.isoformat() if row.limit is not None else "9999"


class StationPage(Page):
    """The tablet's start: scan a bag or a lot; what waits for the roles of who is signed in."""

    permission = Permission.READ_LOTS
    template_name = "batches/execution/station.html"
    title = "Station"

    def read(self) -> dict:
        roles = {grant.role.code for grant in self.grants()}
        waiting, others = [], []
        lots = lots_on_the_floor()
        following = next_runs(lots)
        for lot in lots:
            if run := following.get(lot.pk):
                recipe = recipe_of(lot)
                step = recipe.step(run.step_key)
                line = {
                    "lot": {"check": lot.check_code, "number": lot.number, "product": recipe.name, "demo": lot.demo},
                    "title": f"{run.key}. {step.title}",
                    "state": run.state,
                    "who": step.performed_by.replace("_", " "),
                    "second": run.state == "performed",
                    "early": waits_for_certification(lot, run),
                    "url": reverse("batches:execution:step", kwargs={"number": lot.number, "key": run.key}),
                }
                mine = self.may_check(run, step, roles) if line["second"] else step.performed_by in roles
                (waiting if mine and not line["early"] else others).append(line)
        return {"waiting": waiting, "others": others}

    def may_check(self, run, step, roles) -> bool:
        """Whether the person may be the second one of a performed step: who performed it never is, nor who holds no role that checks it."""
        return run.performed_by_id != self.by.user_id and Permission.SIGN_AS_SECOND_PERSON in self.request.rights and may_check(step, roles)

    def grants(self):
        from mes.people.queries import live_grants

        return live_grants(self.by.user_id, self.by.site_id)


class WaitingPanel(FragmentPage, StationPage):
    """What waits for me, as a panel of the first page."""

    template_name = "batches/execution/_waiting.html"
    title = "Waiting for you"
