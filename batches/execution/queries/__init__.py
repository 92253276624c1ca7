"""Reading execution: runs, values, time limits, what a step signs and what it still needs."""

from batches.execution.queries.board import Row, boards
from batches.execution.queries.content import (
    correction_subject,
    decision_subject,
    second_meaning,
    signed_by,
    signed_subject,
    step_content,
    subject_of,
    typed_subject,
)
from batches.execution.queries.held import held_by
from batches.execution.queries.missing import Missing, missing, undecided
from batches.execution.queries.runs import (
    clearance_missing,
    earlier_open,
    is_after_release,
    lot_by_number,
    next_steps,
    open_hold,
    recipe_of,
    run_by_key,
    runs_of,
    step_of,
    zone_of,
)
from batches.execution.queries.scans import refusal_of
from batches.execution.queries.times import LotTimeLimit, next_countdown, time_limits
from batches.execution.queries.values import Ledger, current_entries, current_entry, values

__all__ = [
    "Ledger", "LotTimeLimit", "Missing", "Row", "boards", "clearance_missing", "correction_subject", "current_entries", "current_entry",
    "decision_subject", "earlier_open", "held_by",
    "is_after_release", "lot_by_number", "missing", "next_countdown", "next_steps", "open_hold", "recipe_of", "refusal_of",
    "run_by_key", "runs_of", "second_meaning", "signed_by", "signed_subject", "step_content", "step_of", "subject_of", "time_limits", "typed_subject",
    "undecided", "values", "zone_of",
]  # fmt: skip
