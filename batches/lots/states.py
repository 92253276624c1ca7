"""Where a donation, a lot, a hold and a container may move (decisions 15)."""

from mes.records.states import StateTable

DONATION = StateTable(
    "donation",
    "expected",
    {
        "expected": frozenset({"collected", "cancelled"}),
        "collected": frozenset({"received", "rejected"}),
        "received": frozenset({"accepted", "rejected"}),
        "accepted": frozenset(),
        "rejected": frozenset(),
        "cancelled": frozenset(),
    },
)

LOT = StateTable(
    "lot",
    "ordered",
    {
        "ordered": frozenset({"in_execution", "cancelled"}),
        "in_execution": frozenset({"manufactured", "terminated"}),
        "manufactured": frozenset({"in_review", "terminated", "rejected"}),
        "in_review": frozenset({"manufactured", "certified_stage_1", "certified_final", "rejected", "terminated", "supplied_out_of_specification"}),
        "certified_stage_1": frozenset({"certified_final", "withdrawn", "manufactured_not_infused"}),
        "certified_final": frozenset({"withdrawn", "manufactured_not_infused"}),
        "supplied_out_of_specification": frozenset(),
        "rejected": frozenset(),
        "withdrawn": frozenset(),
        "terminated": frozenset(),
        "cancelled": frozenset(),
        "manufactured_not_infused": frozenset(),
    },
)

CONTAINER = StateTable(
    "container",
    "expected",
    {
        "expected": frozenset({"in_use", "discarded"}),
        "in_use": frozenset({"emptied", "dispatched", "discarded"}),
        "dispatched": frozenset({"received", "discarded"}),
        "received": frozenset({"infused", "discarded", "in_use"}),
        "emptied": frozenset(),
        "infused": frozenset(),
        "discarded": frozenset(),
    },
)

HOLD = StateTable("hold", "open", {"open": frozenset({"ended"}), "ended": frozenset()})

TERMINATION_REASONS = {
    "too_few_cells": "Too few cells to go on",
    "cells_do_not_grow": "Cells do not grow as needed",
    "contamination": "Contamination found or suspected",
    "equipment_failure": "Equipment failed",
    "material_failure": "A material failed or was recalled",
    "identity_in_doubt": "The chain of identity is in doubt",
    "out_of_specification": "A result is out of specification",
    "patient_cannot_be_treated": "The patient cannot be treated",
    "patient_withdrew": "The patient withdrew",
    "other": "Another reason, told below",
}
"""Why a lot ends before its release: code and words."""

LOT_WORDS = {
    "ordered": "Ordered",
    "in_execution": "In execution",
    "manufactured": "Manufactured",
    "in_review": "In review",
    "certified_stage_1": "Certified (stage 1)",
    "certified_final": "Certified (final)",
    "supplied_out_of_specification": "Supplied out of specification",
    "rejected": "Rejected",
    "withdrawn": "Withdrawn",
    "terminated": "Terminated",
    "cancelled": "Cancelled before use",
    "manufactured_not_infused": "Manufactured, not infused",
}
"""Words of a lot's states as people read them (decisions 15)."""

DONATION_WORDS = {
    "expected": "Expected",
    "collected": "Collected",
    "received": "Received, waits for QA",
    "accepted": "Accepted",
    "rejected": "Rejected",
    "cancelled": "Cancelled",
}
CONTAINER_WORDS = {
    "expected": "Expected",
    "in_use": "In use",
    "emptied": "Emptied",
    "dispatched": "Dispatched",
    "received": "Received",
    "infused": "Infused",
    "discarded": "Discarded",
}
