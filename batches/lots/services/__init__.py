"""Deeds on lots: order, starting material, containers, holds, start and end."""

from batches.lots.services.containers import make_container, move_container
from batches.lots.services.course import cancel_lot, move_lot, start_lot, terminate_lot
from batches.lots.services.donations import add_donation, collect_donation, decide_donation, receive_donation
from batches.lots.services.holds import end_hold, place_hold, put_on_hold
from batches.lots.services.identity import prove_identity
from batches.lots.services.orders import order_lot

__all__ = [
    "add_donation", "cancel_lot", "collect_donation", "decide_donation", "end_hold", "make_container", "move_container", "move_lot", "order_lot",
    "place_hold", "prove_identity", "put_on_hold", "receive_donation", "start_lot", "terminate_lot",
]  # fmt: skip
