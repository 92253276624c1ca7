"""Deeds in the steps of a lot."""

from batches.execution.services.entries import Typed, confirm_reading, correct_value, record_value, record_values
from batches.execution.services.opening import open_step
from batches.execution.services.planning import plan_lot
from batches.execution.services.scans import attach, consume, correct_consumption, use_equipment
from batches.execution.services.signoffs import (
    choose,
    decide,
    leave_out_step,
    perform_step,
    record_time_breach,
    resume_step,
    second_sign_step,
    stop_step,
)

__all__ = [
    "Typed", "attach", "choose", "confirm_reading", "consume", "correct_consumption", "correct_value", "decide", "leave_out_step", "open_step",
    "perform_step", "plan_lot", "record_time_breach", "record_value", "record_values", "resume_step", "second_sign_step", "stop_step",
    "use_equipment",
]  # fmt: skip
