"""What a made-up person types into a field: from the lot's demo data, else a value inside the recipe's limits.

Works on the fields of a step as the API describes them (key, type, unit, decimals, options, accept, limits). Numbers are exact decimals and
travel as text.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

DATA = Path(__file__).resolve().parent.parent / "demo_data"
STRONGEST_FIRST = ("hard", "action", "alert", "historical", "plausible")
BRACES = re.compile(r"\{(\w+)(?:([+-]\d+)(d|h|min))?\}")
SPANS = {"d": "days", "h": "hours", "min": "minutes"}


@dataclass(frozen=True)
class Reported:
    """A result as reported, with where it comes from: evidence is "published" or "illustrative", as the API takes it."""

    criterion: str
    value: str
    evidence: str
    source: str
    interim: Reported | None = None
    day: int | None = None


@dataclass
class LotData:
    """Everything the demo types for one lot: values of the record by parameter, results, and facts of the lot for words in braces."""

    name: str
    record: dict[str, str]
    results: dict[str, Reported]
    published: dict[str, str]
    """Calculated values that the source prints, by parameter: compared at the end."""
    facts: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)


def load(product: str, name: str) -> LotData:
    """The demo data of a lot, such as ("ari0001", "ARI0001/01"). Raises KeyError for a lot that has none."""
    yaml = YAML(typ="safe", pure=True)
    usual = yaml.load((DATA / "process" / f"{product}.yaml").read_text())["values"]
    sets = yaml.load((DATA / "lots" / f"{product}.yaml").read_text())
    found = next((lot for lot in sets["lots"] if lot["lot"] == name), None)
    if found is None:
        raise KeyError(f"{name} has no demo data in {product}.yaml")
    sources = {source["id"]: source.get("doi") or source["title"] for source in sets["based_on"]}
    source = f"{found['source']}: {sources[found['source']]}"
    own = {line["parameter"]: str(line["value"]) for line in found.get("record", ())}
    results = {line["criterion"]: _reported(line["criterion"], line, source) for line in found["results"]}
    published = {line["parameter"]: str(line["value"]) for line in found.get("calculated", ()) if line["evidence"] == "V"}
    return LotData(name, {**usual, **own}, results, published)


def _reported(criterion: str, line: Mapping, source: str) -> Reported:
    is_published = line["evidence"] == "V"
    interim = line.get("interim")
    return Reported(
        criterion, str(line["value"]), "published" if is_published else "illustrative", source if is_published else "",
        _reported(criterion, interim, source) if interim else None, line.get("day"),
    )  # fmt: skip


# --- one field --------------------------------------------------------------------------------------------------------


def fill(parameter: Mapping[str, Any], data: LotData, *, now: dt.datetime, zone: str, day: int = 0) -> str:
    """The text for one field of a step, never empty. `now` is record time with its offset."""
    for name in (f"{parameter['key']}@d{day}", parameter["key"]):
        if name in data.record:
            return expand(data.record[name], data, now=now, zone=zone, kind=parameter["type"])
    return _by_type(parameter, data, now=now, zone=zone)


def _by_type(parameter: Mapping[str, Any], data: LotData, *, now: dt.datetime, zone: str) -> str:
    kind = parameter["type"]
    if kind in ("decimal", "integer"):
        return number_inside(parameter)
    if kind in ("choice", "boolean"):
        return (list(parameter.get("accept") or ()) or list(parameter.get("options") or ()) or ["yes"])[0]
    if kind == "datetime":
        return moment(now, zone)
    if kind == "date":
        ahead = dt.timedelta(days=180) if re.search(r"due|expires|until", parameter["key"]) else dt.timedelta()
        return f"{(now.astimezone(ZoneInfo(zone)) + ahead):%Y-%m-%d}"
    if kind == "identifier":
        return f"{parameter['key'].upper().replace('_', '-')}-{data.facts.get('lot', 'DEMO')}"[:60]
    return f"{parameter.get('name', parameter['key'])} (demo)"


def moment(at: dt.datetime, zone: str) -> str:
    """A moment as typed, to the second, in the site's zone with its offset: never ambiguous when clocks change."""
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def expand(text: str, data: LotData, *, now: dt.datetime, zone: str, kind: str = "text") -> str:
    """The text with its words in braces replaced. Raises KeyError for a word that is not known yet."""

    def word(found: re.Match) -> str:
        name, number, unit = found.groups()
        ahead = dt.timedelta(**{SPANS[unit]: int(number)}) if unit else dt.timedelta()
        if name == "today":
            return f"{(now.astimezone(ZoneInfo(zone)) + ahead):%Y-%m-%d}"
        if name == "now":
            return moment(now + ahead, zone)
        if name == "zone":
            return zone
        if name in data.facts:
            return data.facts[name]
        known = data.recorded[name]
        return moment(dt.datetime.fromisoformat(known) + ahead, zone) if unit else known

    return BRACES.sub(word, text)


def number_inside(parameter: Mapping[str, Any]) -> str:
    """A number inside every limit of the parameter, near the middle, with the decimals it takes."""
    low, high = _tightest(parameter.get("limits") or {})
    decimals = 0 if parameter["type"] == "integer" else parameter.get("decimals")
    if low is None and high is None:
        wanted = Decimal(1)
    elif low is None:
        wanted = high if high <= 0 else high / 2
    elif high is None:
        wanted = low * Decimal("1.1") if low > 0 else low + 1
    elif low > 0 and high / low > 100:
        wanted = (low * high).sqrt()
    else:
        wanted = (low + high) / 2
    if decimals is not None:
        return f"{wanted.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN):f}"
    return f"{wanted:.3g}".replace("E", "e").replace("e+", "e")


def _tightest(limits: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """The highest lower and lowest upper bound of all bands."""
    lows, highs = [], []
    for name in STRONGEST_FIRST:
        band = limits.get(name) or {}
        lows += [Decimal(str(band[side])) for side in ("min", "min_exclusive") if band.get(side) is not None]
        highs += [Decimal(str(band[side])) for side in ("max", "max_exclusive") if band.get(side) is not None]
    return max(lows, default=None), min(highs, default=None)
