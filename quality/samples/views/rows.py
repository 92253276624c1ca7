"""A criterion with its result as the table and the side of a QC page show it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from batches.recipes.bounds import Between, lower, upper
from batches.recipes.expressions import in_names
from batches.recipes.quantities import read_back
from mes.clock import day_words, short_words
from mes.web.countdown import span
from mes.web.gauge import Limits
from mes.words import counted, plain
from quality.samples.models import Result
from quality.samples.queries import MARKS, CriterionLine, interim_text
from quality.specifications.document.schema import Criterion

BAND = re.compile(r": (-?\d[\d.]*(?:e-?\d+)?) to (-?\d[\d.]*(?:e-?\d+)?) ")
FAILED = frozenset({"above", "below", "does_not_meet"})


def limits_of(line: CriterionLine) -> Limits | None:
    """Limits for the gauge, as numbers: a bound that excludes itself is drawn at itself. None where there are none to draw."""
    bounds: Criterion | Between = line.criterion
    if not line.criterion.is_numeric:
        return None
    low, high = lower(bounds), upper(bounds)
    found = Limits(low=low.limit if low else None, high=high.limit if high else None)
    if line.criterion.target is not None:
        # The band a relative limit had when the result was judged stands in its rule, which is never computed anew.
        band = BAND.search(line.rule)
        found = Limits(low=Decimal(band[1]), high=Decimal(band[2])) if band else found
    if found.low is None and found.high is None:
        return None
    return _with_window(found, line.result.value if line.result else None)


def _with_window(limits: Limits, value: Decimal | None) -> Limits:
    """A window that holds the value too, so that its mark stands where it is."""
    if value is None or limits.high is None or value <= limits.high * 3:
        return limits
    return replace(limits, window_low=Decimal(0), window_high=value)


def limit_words(line: CriterionLine, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """The criterion's limit alone: "≥ 70 %", "sterile"; the rounding rule stands in the side. `names` says what a computed limit is computed from."""
    rule = line.rule.split(", compared ")[0].removeprefix("one of: ")  # as rules were worded before
    target = line.criterion.target
    return rule.replace(target.expression, in_names(target.expression, names)) if target else rule


def rounding_words(line: CriterionLine) -> str:
    """How a result is rounded before it is compared."""
    _, comma, rule = line.rule.partition(", compared ")
    return f"Compared {rule}." if comma else ""


def verdict_of(line: CriterionLine, now: dt.datetime) -> tuple[str, str]:
    """(word, state) of a line: abnormal ones have a state, a pending one says how long it has still to go."""
    if line.result is None:
        failing = next((each for each in line.interims if each.verdict in FAILED), None)
        if failing is not None:
            return f"Day {failing.interim_day}: does not meet", "alarm"
        if line.due is None:
            return "Pending", "pending"
        return (f"{span(line.due - now)} to go", "pending") if line.due > now else (f"{span(now - line.due)} late", "warn")
    if line.verdict in FAILED:
        # One of several ways failed while another one meets: the value is outside its limit, the lot is not.
        return (line.word, "") if line.standing == "met" else (line.word, "alarm")
    return line.word, "" if line.verdict in ("meets", "report_only") else "warn"


def row(
    line: CriterionLine, now: dt.datetime, *, url: str, post_url: str = "", current: bool = False, may_enter: bool = False,
    names: Mapping[str, str] = MappingProxyType({}),
) -> dict:  # fmt: skip
    """A row of `results.html`; `now` comes in the zone in which times are shown. A number that may be entered is its own small form."""
    criterion, result = line.criterion, line.result
    word, state = verdict_of(line, now)
    shown = result.value_text if result else interim_text(line.interim)
    numeric = criterion.is_numeric or (criterion.type == "report_only" and criterion.unit is not None)
    editable = may_enter and numeric and result is None and line.sample is not None and line.sample.state == "received"
    return {
        "test": criterion.name,
        "method": f"{criterion.method}, version {criterion.method_version}",
        "url": url,
        "specification": limit_words(line, names),
        "value": shown,
        "unit": (result.unit if result else criterion.unit) or "" if numeric else "",
        "limits": limits_of(line) if result is not None else None,
        "gauge_state": "alarm" if state == "alarm" else "ok",
        "state": "alarm" if state == "alarm" else "",
        "verdict_word": word,
        "verdict_state": state,
        "source": source_of(line),
        "source_sub": MARKS[result.evidence] if result and result.evidence != "measured" else _when(line, result, now),
        "current": current,
        "editable": editable,
        "field_id": f"in-{criterion.code}",
        "field_name": "value",
        "post_url": post_url,
    }


def source_of(line: CriterionLine) -> str:
    if line.result is not None:
        return f"{line.result.by.full_name}{', reviewed' if line.reviewed else ''}"
    return line.sample.title if line.sample else "–"


def _when(line: CriterionLine, result: Result | None, now: dt.datetime) -> str:
    if result is not None:
        return short_words(result.tested_at, now.tzinfo) if result.tested_at else ""
    if line.sample is None:
        return ""
    words = {"expected": "not drawn yet", "drawn": "on its way to QC", "received": "in QC", "tested": "tested", "lost": "lost", "not_drawn": "not drawn"}
    return words[line.sample.state]


def side(line: CriterionLine, now: dt.datetime, specification: str, names: Mapping[str, str] = MappingProxyType({})) -> dict:
    """What the side shows of the chosen criterion: the fact first, then rule, origin and history."""
    criterion, result = line.criterion, line.result
    word, state = verdict_of(line, now)
    pairs = [
        {"k": "Limit", "v": limit_words(line, names), "limits": True},
        {"k": "Rounding", "v": rounding_words(line) or "Not rounded"},
        {"k": "Specification", "v": specification},
        {"k": "Method", "v": f"{criterion.method}, version {criterion.method_version}"},
    ]
    if criterion.denominator:
        pairs.append({"k": "Of", "v": criterion.denominator})
    if line.recorded:
        pairs.append({"k": "In the batch record", "v": line.recorded})
    if criterion.any_of:
        pairs.append({"k": "One of several ways", "v": line.group.sentence if line.group else plain(criterion.any_of)})
    if result is not None:
        pairs += [
            {"k": "Reported", "v": f"{result.value_text} {result.unit}".strip()},
            {"k": "Typed with a comma", "v": read_back(result.value_text, result.value)},
            {"k": "Compared as", "v": result.rounded, "limits": True},
            {"k": "Recorded by", "v": result.by.full_name},
            {"k": "Evidence", "v": " ".join(part for part in (MARKS[result.evidence] or "measured", result.evidence_source) if part)},
        ]
        if result.reason:
            pairs.append({"k": "Reason", "v": result.reason})
    return {
        "title": criterion.name,
        "sub": f"{criterion.method}{f' · sample {line.sample.identifier}' if line.sample else ''}",
        "state": state if state in ("alarm", "warn") else "",
        "fact": _fact(line, word),
        "text": line.result.sentence.partition(": ")[2] if result is not None else _waits(line, now),
        "pairs": [pair for pair in pairs if pair["v"]],
        "interims": line.interims,
        "earlier": line.earlier,
        "line": line,
    }


def _fact(line: CriterionLine, word: str) -> str:
    if line.result is None:
        return word if line.due else "No result yet"
    return f"{line.result.value_text} {line.result.unit}".strip() + f": {word.lower()}"


def _waits(line: CriterionLine, now: dt.datetime) -> str:
    if line.sample is None:
        return "No sample is drawn for this test."
    if line.sample.state == "expected":
        return f"The sample “{line.sample.title}” is drawn at step {line.sample.step_run.key if line.sample.step_run_id else '–'}."
    if line.sample.state == "drawn":
        return "Receive the sample in QC first."
    return f"Due {day_words(line.due, now.tzinfo)}, {counted(line.criterion.due_days, 'day')} after sampling." if line.due else "The sample is in QC."
