"""Every permission of batches."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    READ_LOTS = "batches.read_lots"
    ORDER_LOT = "batches.order_lot"
    SEE_PATIENT_IDENTITY = "batches.see_patient_identity"
    ERASE_PATIENT = "batches.erase_patient"
    RECORD_COLLECTION = "batches.record_collection"
    RECEIVE_STARTING_MATERIAL = "batches.receive_starting_material"
    DECIDE_STARTING_MATERIAL = "batches.decide_starting_material"
    RECORD_VALUES = "batches.record_values"
    SIGN_AS_SECOND_PERSON = "batches.sign_as_second_person"
    HOLD_LOT = "batches.hold_lot"
    RESUME_LOT = "batches.resume_lot"
    TERMINATE_LOT = "batches.terminate_lot"
    PRINT_LABELS = "batches.print_labels"
    MANAGE_MATERIALS = "batches.manage_materials"
    RELEASE_MATERIAL = "batches.release_material"
    MANAGE_EQUIPMENT = "batches.manage_equipment"
    POST_READINGS = "batches.post_readings"
    AUTHOR_RECIPES = "batches.author_recipes"
    APPROVE_RECIPES = "batches.approve_recipes"
    ISSUE_PRODUCT = "batches.issue_product"
    READ_RECORD = "batches.read_record"
