"""A step as the tablet shows it: the run, what the recipe says and what was recorded, as values for the templates."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.urls import reverse

from batches.execution import queries
from batches.execution.models import Entry, StepRun
from batches.execution.queries.content import consumptions_of, equipment_of
from batches.execution.queries.files import files_of
from batches.execution.queries.missing import why_not_calculated
from batches.execution.queries.values import Ledger
from batches.execution.rules import check_may_be_left_out
from batches.readings.models import Reading
from batches.recipes.bounds import bounds_text
from batches.recipes.document.schema import Parameter
from batches.recipes.expressions import in_names
from batches.recipes.quantities import read_back
from mes.clock import day_words, hour_words, moment_words, record_now, short_words, typed_words
from mes.errors import RuleBroken
from mes.web.countdown import Countdown
from mes.web.gauge import Limits

KINDS = {"choice": "choice", "boolean": "choice", "datetime": "datetime-local", "date": "date", "text": "text", "identifier": "text"}
STATES = {"hard": "alarm", "action": "alarm", "alert": "warn", "historical": "warn", "within": "ok"}
RAIL = 7
"""Steps shown beside the one that is worked on."""
STATE_WORDS = {
    "waiting": "Not open",
    "open": "Open",
    "stopped": "Stopped",
    "performed": "Waits for the second person",
    "complete": "Complete",
    "not_done": "Left out",
}


class Screen:
    """One step for one moment. Make it inside the site context."""

    def __init__(self, number: str, key: str) -> None:
        self.run = queries.run_by_key(number, key)
        self.lot = self.run.lot
        self.recipe = queries.recipe_of(self.lot)
        self.step = self.recipe.step(self.run.step_key)
        self.zone: ZoneInfo = queries.zone_of(self.lot)
        self.hold = queries.open_hold(self.lot)
        self.entries = queries.current_entries(self.run)
        self.now = record_now()
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self.lot, self.recipe, self.zone)
        return self._ledger

    @property
    def writable(self) -> bool:
        return self.run.state == "open" and self.hold is None

    @property
    def may_be_left_out(self) -> bool:
        try:
            check_may_be_left_out(self.run, self.recipe)
        except RuleBroken:
            return False
        return True

    def url(self, name: str = "step", **more) -> str:
        return reverse(f"batches:execution:{name}", kwargs={"number": self.lot.number, "key": self.run.key} | more)

    # --- the whole page -----------------------------------------------------------------------------------------------

    def context(self) -> dict:
        missing = queries.missing(self.run, self._ledger) if self.run.state == "open" else []
        if self.run.state == "open" and any(p.type == "calculated" for p in self.step.parameters):
            _ = self.ledger
        params = [self.param(p) for p in self.step.parameters]
        limit = queries.next_countdown(self.lot, self.now, self.ledger)
        return {
            "screen": self,
            "run": self.run,
            "step": self.step,
            "lot": self.band(),
            "facts": self.facts(),
            "operation": f"{self.stage_title}, day {self.run.day}",
            "steps": self.rail(),
            "instructions": [line.strip() for line in self.step.instruction.splitlines() if line.strip()],
            "two_people": self.step.second_person != "none",
            "params": params,
            "active": next((each for each in params if each.get("kind") == "number"), None),
            "has_number": any(each.get("kind") == "number" and not each.get("readonly") for each in params),
            "has_exponent": any(_may_be_large(p) for p in self.step.parameters if KINDS.get(p.type, "number") == "number" and p.type != "calculated"),
            "decimal_sign": self.lot.site.decimal_sign,
            "slots": self.slots(),
            "files": self.files(),
            "missing": missing,
            "signed": queries.signed_by(self.run) if self.run.state in ("performed", "complete") else [],
            "next_url": self.next_url(),
            "countdown": self.countdown(limit),
            "readings": self.readings(),
            "wanted": self.wanted(),
            "first_url": self.first_url(),
            "hold": self.hold,
            "hold_url": reverse("batches:lots:hold", kwargs={"number": self.lot.number}),
            "state_words": STATE_WORDS[self.run.state],
        }

    def band(self) -> dict:
        url = reverse("batches:lots:detail", kwargs={"number": self.lot.number})
        return {"check": self.lot.check_code, "number": self.lot.number, "product": self.recipe.name, "url": url, "demo": self.lot.demo}

    @property
    def stage_title(self) -> str:
        return next(stage.title for stage in self.recipe.stages if stage.code == self.step.stage)

    def facts(self) -> list[dict]:
        return [
            {"k": "Chain of identity", "v": self.lot.therapy_event.coi, "mono": True},
            {"k": f"{self.step.stage}, {self.stage_title}", "v": f"Day {self.run.day}", "opt": True},
        ]

    def countdown(self, limit) -> Countdown | None:
        if limit is None:
            return None
        held = self.hold is not None
        beside = f"since {short_words(limit.start, self.zone)}"
        return Countdown(limit.limit.title, limit.start, limit.standing.due, self.now, limit.standing.warns, beside, held=held)

    # --- the rail -----------------------------------------------------------------------------------------------------

    def rail(self) -> list[dict]:
        runs = queries.runs_of(self.lot)
        at = next(place for place, run in enumerate(runs) if run.pk == self.run.pk)
        first = max(0, min(at - 2, len(runs) - RAIL))
        return [self.rail_line(run) for run in runs[first : first + RAIL]]

    def rail_line(self, run: StepRun) -> dict:
        step = self.recipe.step(run.step_key)
        state = "done" if run.state in ("complete", "not_done") else "todo"
        if run.state == "stopped":
            state = "alarm"
        if run.pk == self.run.pk:
            state = "now"
        return {
            "number": run.key,
            "title": step.title,
            "sub": self.rail_words(run, step),
            "url": reverse("batches:execution:step", kwargs={"number": self.lot.number, "key": run.key}),
            "state": state,
        }

    def rail_words(self, run: StepRun, step) -> str:
        if run.state == "complete":
            by = run.second_by or run.performed_by
            return f"{self.rail_time(run.second_at or run.performed_at)} · {short_name(by.full_name)}"
        if run.state == "open":
            return f"Started {self.rail_time(run.opened_at)}"
        if run.state != "waiting":
            return STATE_WORDS[run.state]
        if run.day != self.run.day:
            return f"Day {run.day}"
        return "Two people" if step.second_person != "none" else ""

    def rail_time(self, moment: dt.datetime) -> str:
        """A time of the rail: with its day where that is not today at the site."""
        today = moment.astimezone(self.zone).date() == self.now.astimezone(self.zone).date()
        return hour_words(moment, self.zone) if today else short_words(moment, self.zone)

    def next_url(self) -> str:
        following = StepRun.objects.filter(lot=self.lot, order__gt=self.run.order).order_by("order").first()
        return reverse("batches:execution:step", kwargs={"number": self.lot.number, "key": following.key}) if following else ""

    def first_url(self) -> dict | None:
        """The step that has to be done before this one opens."""
        before = queries.earlier_open(self.run) if self.run.state == "waiting" else None
        if before is None:
            return None
        return {"key": before.key, "title": self.recipe.step(before.step_key).title, "url": self.rail_line(before)["url"]}

    # --- values -------------------------------------------------------------------------------------------------------

    def param(self, parameter: Parameter) -> dict:
        """One value as field.html or calc.html takes it."""
        entry = self.entries.get(parameter.key)
        return self.calculated(parameter, entry) if parameter.type == "calculated" else self.field(parameter, entry)

    def field(self, parameter: Parameter, entry: Entry | None) -> dict:
        shown = {
            "id": parameter.key,
            "label": parameter.name,
            "url": self.url("value", parameter=parameter.key),
            "kind": KINDS.get(parameter.type, "number"),
            "unit": parameter.unit or "",
            "limits": limits_of(parameter),
            "limits_words": limits_words(parameter),
            "help": self.help(parameter),
            "hidden": {},
            "readonly": not self.writable or entry is not None or parameter.source == "equipment",
            "options": [{"value": each, "label": each} for each in parameter.options],
            "minus": _may_be_negative(parameter),
        }
        if parameter.type == "datetime":
            shown["now"] = self.now.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="seconds")
        if parameter.type == "boolean":
            shown["options"] = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
        if entry is not None:
            shown |= self.recorded(parameter, entry)
        return shown

    def recorded(self, parameter: Parameter, entry: Entry) -> dict:
        state = STATES.get(entry.level, "")
        shown = {
            "value": entry.value_text,
            "seen": str(entry.pk),
            "recorded_at": entry.recorded_at,
            "recorded_by": short_name(entry.by.full_name),
            "source": self.source(entry),
            "state": state,
            "message": entry.sentence if state in ("alarm", "warn") else "",
        }
        if parameter.type == "datetime":
            shown |= {"kind": "text", "value": typed_words(entry.value_text, self.zone)}
        return shown

    def as_read(self, key: str, text: str) -> str:
        """A recorded value as a person reads it: a moment in the zone of the site, all else as it was typed."""
        return typed_words(text, self.zone) if self.recipe.parameter(key)[1].type == "datetime" else text

    def source(self, entry: Entry) -> str:
        words = [back] if (back := read_back(entry.value_text, entry.value)) else []
        if entry.source == "equipment":
            words.append("from equipment")
        if entry.supersedes_id:
            words.append("corrected")
        if entry.late:
            words.append(f"late entry, done {short_words(entry.claimed_at, self.zone)}")
        return ", ".join(words)

    def help(self, parameter: Parameter) -> str:
        if parameter.source == "equipment":
            return "Comes from the equipment"
        words = ["Typed twice"] if parameter.double_entry else []
        if parameter.decimals:
            words.append(f"{parameter.decimals} decimal{'s' if parameter.decimals > 1 else ''}")
        if not parameter.required:
            words.append("Optional")
        return ", ".join(words)

    def calculated(self, parameter: Parameter, entry: Entry | None) -> dict:
        needs = "" if entry is not None or self.run.state == "waiting" else why_not_calculated(self.run, parameter, self.ledger)
        needs = needs.removeprefix(f"{parameter.name} ").removeprefix(f"{parameter.name}: ").rstrip(".")
        return {
            "calculated": True,
            "id": parameter.key,
            "label": parameter.name,
            "formula": in_names(parameter.expression.strip(), self.recipe.parameter_names()) if len(parameter.expression.strip()) < 40 else "",
            "value": entry.value_text if entry else "",
            "unit": parameter.unit or "",
            "needs": needs[:1].upper() + needs[1:] if needs else "Calculated later",
            "state": STATES.get(entry.level, "") if entry else "",
            "limits": limits_of(parameter),
            "message": entry.sentence if entry and entry.level in ("hard", "action", "alert") else "",
        }

    # --- scans and files ----------------------------------------------------------------------------------------------

    def wanted(self) -> dict | None:
        """The container whose label opens the step."""
        if self.step.touches_material is None:
            return None
        container = self.recipe.container(self.step.touches_material)
        return {"id": "open", "what": container.title, "which": f"Lot {self.lot.number}\nScan its label", "state": "next"}

    def slots(self) -> list[dict]:
        used = {use.class_code: use for use in equipment_of(self.run)}
        taken: dict = {}
        for line in consumptions_of(self.run):
            if line.quantity:  # zero: taken back by a correction
                taken.setdefault(line.line, []).append(line)
        names = {each.code: each for each in self.recipe.materials}
        classes = {each.code: each.name for each in self.recipe.equipment_classes}
        found = [self.equipment_slot(code, classes[code], used.get(code)) for code in self.step.equipment]
        found += [self.material_slot(line, names[line.material], taken.get(line.material, [])) for line in self.step.materials]
        waiting = next((slot for slot in found if slot["state"] == "todo"), None)
        if waiting is not None and self.writable:
            waiting["state"] = "next"
        return found

    def equipment_slot(self, code: str, name: str, use) -> dict:
        if use is None:
            return {"id": f"e-{code}", "what": name, "which": "Scan its label", "state": "todo"}
        until = day_words(use.calibrated_until, self.zone)
        return {"id": f"e-{code}", "what": use.equipment.name, "which": f"{use.equipment.code}, calibrated to {until}", "state": "done"}

    def material_slot(self, line, material, taken: list) -> dict:
        unit = line.unit or material.unit
        planned = f"{line.quantity:f} {unit}" if line.quantity is not None else ""
        if not taken:
            return {"id": f"m-{line.material}", "what": material.name, "which": f"Scan a released lot{', ' + planned if planned else ''}", "state": "todo"}
        last = taken[-1]
        which = f"{last.material_lot.number}, {last.quantity_text} {last.unit}\nexp {day_words(last.material_lot.expires_at, self.zone)}"
        return {"id": f"m-{line.material}", "what": material.name, "which": which, "state": "done"}

    def files(self) -> list[dict]:
        there: dict = {}
        for each in files_of(self.run):
            there.setdefault(each.code, []).append(each)
        return [
            {"code": each.code, "title": each.title, "required": each.required, "kept": there.get(each.code, []), "url": self.url("attach", code=each.code)}
            for each in self.step.attachments
        ]

    def readings(self) -> list[dict]:
        """Usable readings of this step that wait for a person to confirm them: the last of each value."""
        if not self.writable:
            return []
        wanted = {p.channel: p for p in self.step.parameters if p.channel and p.source != "typed" and p.key not in self.entries}
        found: dict = {}
        if wanted:
            for reading in Reading.objects.filter(step_run=self.run, usable=True, channel__in=wanted, entries=None).order_by("recorded_at"):
                found[reading.channel] = reading
        return [
            {"reading": each, "parameter": wanted[channel], "url": self.url("confirm", reading_id=each.pk, parameter=wanted[channel].key)}
            for channel, each in found.items()
        ]


def limits_of(parameter: Parameter) -> Limits | None:
    """The limits a gauge draws: the action limit, else the hard one; the alert limit beside it."""
    limits = parameter.limits
    main = limits.action or limits.hard
    low, high = _ends(main)
    alert_low, alert_high = _ends(limits.alert)
    if main is None and limits.alert is not None:
        return None
    return None if main is None else Limits(low, high, alert_low, alert_high)


def _ends(band):
    if band is None:
        return None, None
    low = band.min if band.min is not None else band.min_exclusive
    return low, band.max if band.max is not None else band.max_exclusive


def limits_words(parameter: Parameter) -> str:
    """The limits as a sentence where the gauge cannot draw them: accepted answers, alert limits alone."""
    if parameter.accept:
        return f"Accepted: {', '.join(parameter.accept)}"
    limits = parameter.limits
    if limits.action is None and limits.hard is None and limits.alert is not None:
        low, high = _ends(limits.alert)
        if low is not None and high is not None:
            return f"Alert outside {bounds_text(limits.alert)}"
        return f"Alert below {low:f}" if high is None else f"Alert above {high:f}"
    return ""


def _may_be_negative(parameter: Parameter) -> bool:
    plausible = parameter.limits.plausible
    return plausible is None or plausible.min is None or plausible.min < 0


def _may_be_large(parameter: Parameter) -> bool:
    """Whether a value is one that people write with a power of ten, such as a count of cells."""
    plausible = parameter.limits.plausible
    return parameter.decimals is None and (plausible is None or plausible.max is None or plausible.max >= 1_000_000)


def short_name(name: str) -> str:
    """M. Okafor."""
    first, _, last = name.partition(" ")
    return f"{first[:1]}. {last}" if last else first


def moment(when: dt.datetime | None, zone: ZoneInfo) -> str:
    return moment_words(when, zone, seconds=True) if when else ""
