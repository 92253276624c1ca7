"""Template tags of the component layer: icons, gauges, clocks, quantities, times. They draw; they never judge a lot.

Built in for every template (settings), so no page needs to load them. What each takes is in docs/components.md.
"""

import base64
import datetime as dt
import json
import re
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mes.clock import day_words, moment_words, short_words, typed_words
from mes.web import gauge as geometry
from mes.web.countdown import Countdown
from mes.web.figures import numbers_in
from mes.words import said, shown_unit

register = template.Library()

# Which shape stands for which state: the word beside it says the same, so colour is never alone.
SHAPES = {"alarm": "alarm", "warn": "warn", "hold": "hold", "now": "now", "todo": "todo", "next": "scan", "pending": "clock"}
# "1e6" is a power only where it stands alone: the end of 2.1e6 is not.
EXPONENT = re.compile(r"\b10(?:\^|\*\*?)([-−]?\d+)|(?<![\w.,-])1?[eE]([-+]?\d+)\b|(?<=m|h|s|d)\^([-−]?\d)\b")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")


@cache
def _icons() -> dict[str, dict[str, str]]:
    return json.loads((Path(__file__).parents[1] / "icons.json").read_text(encoding="utf-8"))


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An inline icon, hidden from screen readers unless it has a label of its own. KeyError names an unknown icon."""
    icons = _icons()
    solid = name in icons["solid"]
    inner = mark_safe(icons["solid" if solid else "line"][name])  # noqa: S308 - our own file, no user text
    who = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="i{}" viewBox="0 0 24 24" {}>{}</svg>', " solid" if solid else "", who, inner)


@register.simple_tag
def shape(state: str = "", default: str = "check") -> SafeString:
    """The shape of a state: triangle, diamond, bars, circle; a check mark where nothing is abnormal."""
    return icon(SHAPES.get(state or "", default))


def _unit_html(unit: str) -> SafeString:
    text = RAISED.sub(lambda found: "^" + found.group().translate(SUPERSCRIPTS), str(unit))
    parts, end = [], 0
    for found in EXPONENT.finditer(text):
        base = "" if found.group(3) else "10"
        power = found.group(1) or found.group(2) or found.group(3)
        parts += [conditional_escape(text[end : found.start()]), format_html("{}<sup>{}</sup>", base, power.lstrip("+").replace("-", "−"))]
        end = found.end()
    parts.append(conditional_escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - escaped part by part above


def _number_html(text: str) -> SafeString:
    scientific = re.fullmatch(r"([-+]?[\d.]+)[eE]([-+]?\d+)", text)
    if not scientific:
        return conditional_escape(text)
    return format_html("{} ×10<sup>{}</sup>", scientific[1], str(int(scientific[2])).replace("-", "−"))


@register.filter("unit")
def unit_filter(unit: str) -> SafeString:
    """A unit with real powers: 10^6/mL, 10*6/mL, 1e6/mL and 10⁶/mL all become 10<sup>6</sup>/mL, with × before."""
    if unit in (None, "", "1"):
        return SafeString("")
    html = _unit_html(unit)
    return mark_safe("×" + html) if html.startswith("10<sup>") else html  # noqa: S308 - escaped part by part above


SCIENTIFIC = re.compile(r"(?<![\w.,^−-])([-+−]?\d+(?:\.\d+)?)[eE]([-+]?\d{1,3})(?!\w|\.\d|-\w)")


@register.filter
def figures(text: object) -> SafeString:
    """A sentence with the numbers in it as they are read: 2.1e6 as 2.1 ×10<sup>6</sup>, 10^6/mL with a real power; all else as it is."""
    parts, end, plain = [], 0, str(text)
    for found in SCIENTIFIC.finditer(plain):
        parts += [_unit_html(plain[end : found.start()]), _number_html(found.group().replace("−", "-"))]
        end = found.end()
    parts.append(_unit_html(plain[end:]))
    return SafeString("".join(parts))


@register.filter
def limit_figures(text: object) -> SafeString:
    """A text about limits with every number in it as it is read most surely: "> 500000" as "> 5 ×10<sup>5</sup>"."""
    return figures(numbers_in(str(text)))


@register.simple_tag(takes_context=True)
def quantity(context: dict, value: object, unit: str = "", qualifier: str = "") -> SafeString:
    """A value with its unit on one line, as typed: "1.12 ×10<sup>6</sup>/mL", "< 0.05 EU/mL", "2.28 ×10<sup>8</sup>"; a typed moment with its zone."""
    if value is None or value == "":
        return SafeString("–")
    text = typed_words(str(value), _zone(context, None))
    shown = _number_html(numbers_in(text) if unit else text)
    before = f"{qualifier} " if qualifier and qualifier != "=" else ""
    if unit in ("", None, "1"):
        return format_html('<span class="nowrap">{}{}</span>', before, shown)
    return format_html('<span class="nowrap">{}{} {}</span>', before, shown, unit_filter(unit))


@register.filter
def as_typed(text: object) -> SafeString:
    """What a person typed, letter by letter: nothing rewrites a unit or a count in it (mes.words), whichever page or paper it is drawn on."""
    return format_html("<bdi>{}</bdi>", text) if text not in (None, "") else SafeString("")


@register.filter
def powers(text: object) -> SafeString:
    """A number in scientific notation with a real power, 2.28E+8 as 2.28 ×10<sup>8</sup>; any other text as it is."""
    return _number_html(str(text))


@register.filter
def limits_text(limits: object) -> SafeString:
    """Limits in words: "70.0 to 100.0, alert below 75.0", "at least 1 ×10<sup>7</sup>"."""
    return figures(numbers_in(geometry.limits_text(geometry.limits_of(limits)))) if limits else SafeString("")


def _plain(unit: str) -> str:
    return f" {shown_unit(unit)}".rstrip()


@register.simple_tag(name="gauge")
def gauge_tag(value: object, limits: object, name: str = "Value", unit: str = "", state: str = "", slim: bool = False, qualifier: str = "") -> SafeString:
    """The value inside its limits as SVG with plain attributes: one sentence as its name, percentages as positions."""
    unit = unit or ""
    known = geometry.limits_of(limits)
    drawn = geometry.measure(value, known, unit, state or None)
    top, tall, tick, long = (4, 8, 1, 14) if slim else (10, 10, 6, 18)
    middle = top + tall / 2
    zones = format_html_join("", '<line class="zone" x1="{0}%" x2="{1}%" y1="{2}" y2="{2}"/>', ((a, b, f"{middle:g}") for a, b in drawn.zones))
    ticks = format_html_join(
        "", '<svg x="{}%" overflow="visible"><rect class="lim" x="-1" y="{}" width="2" height="{}"/></svg>', ((at, tick, long) for at, _ in drawn.ticks)
    )
    labels = SafeString("") if slim else format_html_join("", '<text x="{}%" y="39">{}</text>', drawn.ticks)
    path = "M-6-5H6L1.5 2V13h-3V2z" if slim else "M-9-2H9L1.5 10V24h-3V10z"
    mark = format_html('<svg class="val" x="{}%" overflow="visible"><path d="{}"/></svg>', drawn.mark or "50.00", path)
    shown = f"{said(f'{qualifier} {value}') if qualifier else value}{_plain(unit)}, {drawn.words.lower()}" if drawn.mark else "no value yet"
    sentence = f"{name}: {shown}"
    words = geometry.limits_text(known)
    if words:
        sentence += f"; limits {words}{_plain(unit)}"
    data = format_html_join(
        "",
        ' data-{}="{}"',
        [
            (key, f"{number:f}")
            for key, number in (
                ("low", known.low),
                ("high", known.high),
                ("alert-low", known.alert_low),
                ("alert-high", known.alert_high),
                ("from", drawn.window_low),
                ("to", drawn.window_high),
            )
            if number is not None
        ],
    )
    return format_html(
        '<svg class="gauge{}" role="img" aria-label="{}" data-s="{}"{}><rect class="trk" y="{}" width="100%" height="{}" rx="2"/>'
        '<rect class="ok" x="{}%" y="{}" width="{}%" height="{}"/>{}{}{}{}</svg>',
        " slim" if slim else "",
        sentence,
        drawn.state,
        data,
        top,
        tall,
        drawn.allowed[0],
        top,
        drawn.allowed[1],
        tall,
        zones,
        ticks,
        labels,
        mark,
    )


@register.simple_tag
def meter(percent: object) -> SafeString:
    """A slim bar filled to a percentage, with an end mark so that amber never stands alone."""
    return format_html(
        '<svg class="meter" aria-hidden="true"><rect class="trk" width="100%" height="8"/><rect class="fill" width="{0}%" height="8"/>'
        '<svg x="{0}%" overflow="visible"><rect class="mark" x="-2" width="2" height="8"/></svg></svg>',
        percent,
    )


@register.simple_tag
def clock(countdown: Countdown) -> SafeString:
    """A running limit. The server sends the deadline and its own time; clock.js only counts."""
    state = countdown.state
    data = [("start", countdown.start), ("deadline", countdown.deadline), ("alert", countdown.alert_at), ("now", countdown.now)]
    attributes = format_html_join("", ' data-{}="{}"', ((key, moment.isoformat()) for key, moment in data if moment))
    mode = "hold" if countdown.held else "elapsed" if countdown.elapsed else "left"
    return format_html(
        '<div class="clk" data-clock="{}" data-s="{}"{}><span class="lab">{}</span><span class="el">{}<span data-words>{}</span></span>{}{}</div>',
        mode,
        state,
        attributes,
        countdown.label,
        shape(state) if state else "",
        countdown.words,
        format_html('<span class="of">{}</span>', countdown.beside) if countdown.beside else "",
        meter(countdown.percent) if countdown.deadline else "",
    )


def _zone(context: dict, zone: object) -> dt.tzinfo:
    zone = zone or context.get("site_zone") or timezone.get_current_timezone()
    return ZoneInfo(zone) if isinstance(zone, str) else zone


@register.simple_tag(takes_context=True)
def when(context: dict, moment: dt.datetime | dt.date | None, form: str = "long", zone: object = None) -> SafeString:
    """A time in the site's zone. Forms: long, minute, short, time (they name the zone; short leaves out the year), clock (beside one that
    does), date, paper (as long: what is printed has one form). A bare date stays."""
    if moment is None or moment == "":
        return SafeString("–")
    if not isinstance(moment, dt.datetime):
        return format_html('<time datetime="{}" class="nowrap">{}</time>', moment.isoformat(), day_words(moment))
    zone = _zone(context, zone)
    local = moment.astimezone(zone)
    text = {
        "long": moment_words(local, zone, seconds=True),
        "paper": moment_words(local, zone, seconds=True),
        "minute": moment_words(local, zone),
        "short": short_words(local, zone),
        "time": f"{local:%H:%M:%S %Z}",
        "clock": f"{local:%H:%M}",
        "date": day_words(local),
    }[form]
    return format_html('<time datetime="{}" class="nowrap">{}</time>', local.isoformat(), text)


@register.simple_tag
def control(field: BoundField, described_by: str = "") -> SafeString:
    """The widget of a form field with the look's class, its error state and what describes it."""
    described = [part for part in (described_by, f"{field.auto_id}-hint" if field.help_text else "", f"{field.auto_id}-err" if field.errors else "") if part]
    attributes = {"aria-describedby": " ".join(described)} if described else {}
    if field.errors:
        attributes["aria-invalid"] = "true"
    if not isinstance(field.field.widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        attributes["class"] = "input"
    return field.as_widget(attrs=attributes)


@register.filter
def widget_kind(field: BoundField) -> str:
    """ "tick", "choice" or "input": which arrangement a form field needs."""
    widget = field.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choice"
    return "tick" if isinstance(widget, CheckboxInput) else "input"


@register.simple_tag
def pdf_css() -> SafeString:
    """The paper's style with its fonts inside, for the PDF renderer, which may fetch nothing. Never sent to a browser."""
    root = Path(finders.find("css/tokens.css") or Path(settings.ROOT) / "static/css/tokens.css").parent
    tokens = (root / "tokens.css").read_text(encoding="utf-8")
    faces = "\n".join(re.findall(r"@font-face\{.*?\}", tokens, re.S))

    def inside(found: re.Match) -> str:
        font = (root / found.group(1)).read_bytes()
        return f'url("data:font/woff2;base64,{base64.b64encode(font).decode()}")'

    # The renderer does not know unicode-range and mixes up two files of one family: it set r for ≤ and s for ≥. So each
    # file is a family of its own here, weights left to the variable font, and pdf.css names both.
    for number, face in enumerate(re.findall(r"@font-face\{.*?\}", faces, re.S)):
        own = face.replace('"Plex Var"', ('"Plex Var"', '"Plex Signs"')[number])
        faces = faces.replace(face, re.sub(r"(?:font-weight|font-stretch|font-display|unicode-range):[^;}]+;?\s*", "", own))
    faces = re.sub(r'url\("([^"]+\.woff2)"\)', inside, faces)
    paper = re.search(r"^:root\{--paper:.*?\}", tokens, re.S | re.M).group()
    return mark_safe("\n".join((faces, paper, (root / "pdf.css").read_text(encoding="utf-8"))))  # noqa: S308 - our own text
