"""When something may be done in a step, and by whom."""

from batches.execution.rules.entries import (
    LARGEST_FILE,
    check_can_attach,
    check_can_choose,
    check_can_confirm_reading,
    check_can_consume,
    check_can_correct_consumption,
    check_can_correct_value,
    check_can_record_time_breach,
    check_can_record_value,
    check_can_use_equipment,
    check_can_work_on_step,
    check_claimed,
    check_correctable,
    check_quantity_correctable,
    check_saw,
)
from batches.execution.rules.moments import check_moment, check_moment_of_reading
from batches.execution.rules.people import check_may_read_step, check_performs, check_second_person, standing_in
from batches.execution.rules.steps import (
    check_can_decide,
    check_can_leave_out_step,
    check_can_open_step,
    check_can_perform_step,
    check_can_plan_lot,
    check_can_resume_step,
    check_can_second_sign_step,
    check_can_stop_step,
    check_can_type_identifier,
    check_lot_can_go_on,
    check_may_be_left_out,
    check_reason,
    check_scanned,
)

__all__ = [
    "LARGEST_FILE",
    "check_can_attach", "check_can_choose", "check_can_confirm_reading", "check_can_consume", "check_can_correct_consumption",
    "check_can_correct_value", "check_can_decide", "check_can_leave_out_step", "check_can_open_step", "check_can_perform_step",
    "check_can_plan_lot", "check_can_record_time_breach", "check_can_record_value", "check_can_resume_step", "check_can_second_sign_step",
    "check_can_stop_step", "check_can_type_identifier", "check_can_use_equipment", "check_can_work_on_step", "check_claimed",
    "check_correctable", "check_lot_can_go_on", "check_may_be_left_out", "check_may_read_step", "check_moment", "check_moment_of_reading", "check_performs",
    "check_quantity_correctable", "check_reason", "check_saw", "check_scanned", "check_second_person", "standing_in",
]  # fmt: skip
