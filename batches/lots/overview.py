"""The overview of a lot as a page shows it: timeline, identity chain, donations, containers, materials, equipment, people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.db.models import Q

from batches.equipment.queries import occupied_by, used_by
from batches.lots import queries
from batches.lots.models import Container, Donation, Lot
from batches.lots.states import CONTAINER_WORDS, DONATION_WORDS, LOT
from batches.materials.queries import went_into
from batches.recipes.queries import document
from mes.clock import moment_words
from mes.signatures.models import Signature
from mes.web import timeline

DONATION_STATES = {"rejected": "alarm", "received": "warn", "expected": "pending"}
TROUBLED = {"blocked", "rejected"}


def stages(lot: Lot) -> list[dict]:
    """The recipe's stages with how far each is: done, now or todo; counted from the lot's step runs."""
    runs = list(lot.step_runs.values("stage", "state", "day", "opened_at", "performed_at", "second_at"))
    shown = []
    for stage in document(lot.recipe_version).stages:
        own = [run for run in runs if run["stage"] == stage.code]
        ended = [run for run in own if run["state"] in {"complete", "performed", "not_done"}]
        begun = [run for run in own if run["state"] != "waiting"]
        state = "done" if own and len(ended) == len(own) else "now" if begun else "todo"
        shown.append({"code": stage.code, "title": stage.title, "state": state, "done": len(ended), "all": len(own), "runs": own})
    return shown


def line(lot: Lot, shown: list[dict], now: dt.datetime, zone: ZoneInfo, marks: Sequence[timeline.Mark] = ()) -> dict | None:
    """The timeline: what was done at its real times, the rest where the recipe plans it; `marks` are a reviewer's exceptions. None before there are steps."""
    day_zero = (lot.started_at or lot.recorded_at - dt.timedelta(days=min([0, *(run["day"] for each in shown for run in each["runs"])]))).astimezone(zone)
    drawn, is_over = [], lot.state in LOT.ends()  # what was not begun is never done
    for each in shown:
        runs = [run for run in each["runs"] if run["opened_at"] or not is_over]
        if not runs:
            continue
        # What is not done yet lies ahead, however late it is.
        starts = [run["opened_at"] or max(day_zero + dt.timedelta(days=run["day"]), _not_before(run, now)) for run in runs]
        ends = [run["second_at"] or run["performed_at"] or max(day_zero + dt.timedelta(days=run["day"] + 1), _not_before(run, now)) for run in runs]
        drawn.append(timeline.Stage(each["code"], min(starts).astimezone(zone), max(ends).astimezone(zone)))
    if not drawn:
        return None
    return timeline.lay_out(drawn, list(marks), now.astimezone(zone), words=f"Timeline of lot {lot.number}: {len(drawn)} stages")


SEEN = 0.3
"""Percent of the line's width below which a stage cannot be seen."""


def course_note(lot: Lot, shown: list[dict], drawn: dict | None) -> str:
    """What the timeline cannot show, in a sentence; empty where it shows everything."""
    if drawn is None:
        return "The lot ended before a step was opened: there is no course to draw." if lot.state in LOT.ends() else "No step is planned yet."
    if not any(run["opened_at"] for each in shown for run in each["runs"]):
        return "No step was opened yet. The stages stand where the recipe plans them."
    short = [each["name"] for each in drawn["stages"] if not each["plan_x"] and float(each["width"]) < SEEN]
    return f"Done in too short a time to be seen at this scale: {', '.join(short)}." if short else ""


def _not_before(run: dict, now: dt.datetime) -> dt.datetime:
    """The earliest time at which an open run can still begin or end; one that is left out keeps its planned day."""
    return dt.datetime.min.replace(tzinfo=dt.UTC) if run["state"] == "not_done" else now


DECIDED = {"accepted": "Accepted as starting material", "rejected": "Rejected"}
"""What QA decided about a donation; nothing while it has not."""


def donation_rows(lot: Lot, donations: list[Donation]) -> list[dict]:
    """Donations as rows of a table; the first cell leads to its page."""
    return [
        {
            "url": f"/lots/{lot.number}/donations/{each.din}/",
            "cells": [
                {"text": each.din, "mono": True},
                _word(DONATION_WORDS[each.state], DONATION_STATES.get(each.state, "")),
                {"text": _local(each.collected_at, lot)},
                {"text": DECIDED.get(each.state, "–"), "sub": each.decision_reason},
            ],
        }
        for each in donations
    ]


def container_rows(lot: Lot, containers: list[Container]) -> list[dict]:
    """Containers with their full identifiers."""
    return [
        {
            "cells": [
                {"text": each.title, "sub": each.donation.din if each.donation_id else ""},
                {"text": each.identifier, "mono": True},
                {"text": CONTAINER_WORDS[each.state], "sub": each.volume_text},
            ]
        }
        for each in containers
    ]


def material_rows(lot: Lot) -> list[dict]:
    """Genealogy backwards: what went into the lot, from which material lot, at which step."""
    rows = []
    for taken in went_into(lot):
        stock = taken.material_lot
        troubled = stock.state in TROUBLED
        rows.append(
            {
                "url": f"/materials/lots/{stock.pk}/",
                "state": "alarm" if troubled else "",
                "cells": [
                    {"text": stock.material.name},
                    {"text": stock.number, "mono": True},
                    {"text": taken.quantity_text, "unit": taken.unit},
                    {"text": taken.step_run.key, "sub": _local(taken.recorded_at, lot)},
                    _word(stock.state.capitalize(), "alarm" if troubled else ""),
                ],
            }
        )
    return rows


def equipment_rows(lot: Lot) -> list[dict]:
    """What the lot was in or measured with, with the calibration as it was then."""
    inside = {each.equipment_id for each in occupied_by(lot)}
    return [
        {
            "url": f"/equipment/{each.equipment_id}/",
            "cells": [
                {"text": each.equipment.name, "sub": each.equipment.code},
                {"text": each.step_run.key},
                {"text": f"Calibrated until {_local(each.calibrated_until, lot)}"},
                {"text": "The lot is in it now" if each.equipment_id in inside else "–"},
            ],
        }
        for each in used_by(lot)
    ]


def people(lot: Lot) -> list[dict]:
    """Everybody who signed something of the lot: name, role, and what they signed, most signatures first."""
    found: dict = {}
    of_donations = Q(record_id__in=lot.lot_donations.values("donation_id"))
    for each in Signature.objects.filter(Q(lot_id=lot.pk) | of_donations).order_by("recorded_at"):
        person = found.setdefault(each.signer_id, {"name": each.full_name, "user_name": each.username, "role": each.role, "count": 0, "meanings": set()})
        person["count"] += 1
        person["meanings"].add(each.meaning.replace("_", " "))
    shown = sorted(found.values(), key=lambda person: (-person["count"], person["name"]))
    return [person | {"meanings": ", ".join(sorted(person["meanings"]))} for person in shown]


def identity_pairs(lot: Lot, *, may_see: bool = False) -> list[dict]:
    """Names and values of the chain of identity; `may_see` leads those who may to the vault."""
    event = lot.therapy_event
    siblings = queries.siblings_of(lot)
    pairs = [
        {"k": "Subject", "v": event.patient.pseudonym, "mono": True, "url": f"/patients/{event.patient.pseudonym}/" if may_see else ""},
        {"k": "Chain of identity", "v": event.coi, "mono": True},
        {"k": "Check code", "v": lot.check_code, "mono": True},
        {"k": "Treatment centre", "v": event.treatment_centre},
        {"k": "Physician", "v": event.physician_name},
    ]
    return pairs + [{"k": "Same therapy event", "v": each.number, "url": f"/lots/{each.number}/"} for each in siblings]


def _word(word: str, state: str) -> dict:
    return {"word": word, "state": state} if state else {"text": word}


def _local(moment: dt.datetime | None, lot: Lot) -> str:
    return moment_words(moment, lot.site.time_zone) if moment else "–"
