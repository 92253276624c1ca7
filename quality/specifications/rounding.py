"""The rounding rule of a specification: one documented way per criterion, in exact decimals (QC-06; USP General Notices 7.20)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from quality.specifications.document.schema import Rounding

_MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}
# More digits than the reader of values lets through, so that quantize never runs out of room.
_ROOM = 120


def rounded(value: Decimal, rule: Rounding | None) -> Decimal:
    """The value as it is compared. Without a rule that is the value as entered. Minus zero becomes zero."""
    if rule is not None and rule.decimals is not None:
        value = value.quantize(Decimal(1).scaleb(-rule.decimals), context=Context(prec=_ROOM, rounding=_MODES[rule.mode]))
    elif rule is not None and rule.significant is not None:
        value = Context(prec=rule.significant, rounding=_MODES[rule.mode]).plus(value)
    return value.copy_abs() if value == 0 else value


def rule_text(rule: Rounding | None) -> str:
    """The rule as it stands beside a verdict."""
    if rule is None or (rule.decimals is None and rule.significant is None):
        return "compared as entered, not rounded"
    way = rule.mode.replace("_", " ")
    if rule.decimals is not None:
        return f"compared after rounding {way} to {rule.decimals} {'decimal' if rule.decimals == 1 else 'decimals'}"
    return f"compared after rounding {way} to {rule.significant} significant {'digit' if rule.significant == 1 else 'digits'}"
