"""When a lot may be ordered, worked on, held and ended, and its donations and containers decided and moved."""

from batches.lots.rules.containers import (
    check_can_make_container,
    check_can_move_container,
    check_may_be_discarded,
    check_same_container,
    check_same_donation,
)
from batches.lots.rules.course import (
    check_can_cancel_lot,
    check_can_end_hold,
    check_can_move_lot,
    check_can_place_hold,
    check_can_put_on_hold,
    check_can_start_lot,
    check_can_terminate_lot,
    check_lot_open_for_work,
)
from batches.lots.rules.donations import (
    check_can_add_donation,
    check_can_collect_donation,
    check_can_decide_donation,
    check_can_receive_donation,
)
from batches.lots.rules.identity import check_scanned_or_read_by_two
from batches.lots.rules.orders import MARKETS, check_can_order_lot, check_donation_is_ours

__all__ = [
    "MARKETS", "check_can_add_donation", "check_can_cancel_lot", "check_can_collect_donation", "check_can_decide_donation",
    "check_can_end_hold", "check_can_make_container", "check_can_move_container", "check_can_move_lot", "check_can_order_lot", "check_can_place_hold",
    "check_can_put_on_hold", "check_can_receive_donation", "check_can_start_lot", "check_can_terminate_lot", "check_donation_is_ours",
    "check_lot_open_for_work", "check_may_be_discarded", "check_same_container", "check_same_donation", "check_scanned_or_read_by_two",
]  # fmt: skip
