"""Geometry of a simple line chart with limits, drawn as SVG by the server: it prints, needs no script, and carries a table."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mes.web.gauge import to_decimal
from mes.words import counted, unit_words

WIDTH, HEIGHT = Decimal(440), Decimal(296)
LEFT, RIGHT = Decimal(40), Decimal(428)  # first and last point


@dataclass(frozen=True)
class Point:
    """One measured value in time order; state is "", "warn", "alarm" or "closed" (was abnormal, is settled)."""

    label: str
    value: Decimal
    state: str = ""
    x: str = ""
    y: str = ""


@dataclass(frozen=True)
class Line:
    """A horizontal line: kind is "spec", "ctl", "mean" or "grid"."""

    kind: str
    y: str
    text: str
    above: bool = True


@dataclass(frozen=True)
class Chart:
    """Positions as text in a 440 x 330 drawing."""

    title: str
    unit: str
    points: tuple[Point, ...]
    path: str
    lines: tuple[Line, ...]
    inside: tuple[str, str] | None  # y and height between the specification limits
    band: tuple[str, str] | None  # y and height between the control limits
    events: tuple[tuple[str, str, bool], ...] = field(default=())  # x, text, whether the text stands left of its line

    @property
    def sentence(self) -> str:
        """The chart in words, for people who do not see it."""
        if not self.points:
            return f"{self.title}: no values yet"
        last = self.points[-1]
        return f"{self.title}: {counted(len(self.points), 'value')}, last {last.value:f} {unit_words(self.unit)} ({last.label})".replace("  ", " ")


def _step(span: Decimal) -> Decimal:
    """A round grid step that cuts the span into four to ten parts."""
    power = Decimal(10) ** (span.adjusted() - 1)
    for factor in (1, 2, 5, 10, 20, 50):
        if span / (power * factor) <= 7:
            return power * factor
    return power * 100


def draw(
    title: str,
    series: list[tuple[str, Any, str]],
    unit: str = "",
    spec: tuple[Any, Any] = (None, None),
    control: tuple[Any, Any] = (None, None),
    mean: Any = None,
    events: list[tuple[int, str]] = (),
) -> Chart:
    """Series is (label, value, state) in order; events are (index of the first point after it, text). Raises ValueError for a value that is no number."""
    values = []
    for label, value, _ in series:
        number = to_decimal(value)
        if number is None:
            raise ValueError(f"{label}: {value!r} is no number")
        values.append(number)
    low, high = (to_decimal(limit) for limit in spec)
    control_low, control_high = (to_decimal(limit) for limit in control)
    centre = to_decimal(mean)
    known = [n for n in (*values, low, high, control_low, control_high, centre) if n is not None] or [Decimal(0)]
    bottom, top = min(known), max(known)
    spread = (top - bottom) or abs(top) or Decimal(1)
    step = _step(spread)
    bottom = ((bottom - spread / 20) // step) * step if bottom < 0 else max(Decimal(0), (bottom - spread / 20) // step * step)
    top = ((top + spread / 20) // step + 1) * step

    def height(value: Decimal) -> Decimal:
        return HEIGHT - (value - bottom) / (top - bottom) * HEIGHT

    def text(number: Decimal) -> str:
        return f"{number:.1f}"

    gap = (RIGHT - LEFT) / max(1, len(values) - 1)
    points = tuple(
        Point(label, value, state, text(LEFT + gap * index), text(height(value)))
        for index, ((label, _, state), value) in enumerate(zip(series, values, strict=True))
    )
    lines, at = [], bottom
    while at <= top:
        lines.append(Line("grid", text(height(at)), f"{at.normalize():f}"))
        at += step
    lines += [Line("spec", text(height(limit)), "specification", above) for limit, above in ((high, True), (low, False)) if limit is not None]
    lines += [Line("ctl", text(height(limit)), "") for limit in (control_low, control_high) if limit is not None]
    if centre is not None:
        lines.append(Line("mean", text(height(centre)), ""))

    def box(under: Decimal | None, over: Decimal | None) -> tuple[str, str] | None:
        if under is None and over is None:
            return None
        y_top = height(over if over is not None else top)
        return text(y_top), text(height(under if under is not None else bottom) - y_top)

    return Chart(
        title=title,
        unit=unit,
        points=points,
        path=" ".join(f"{point.x},{point.y}" for point in points),
        lines=tuple(lines),
        inside=box(low, high),
        band=box(control_low, control_high),
        events=tuple((text(at), words, at > WIDTH / 2) for at, words in ((LEFT + gap * (Decimal(index) - Decimal("0.5")), words) for index, words in events)),
    )
