"""Every permission of mes. A role is a list of these, kept as a record."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    MANAGE_PEOPLE = "mes.manage_people"
    UNLOCK_PEOPLE = "mes.unlock_people"
    RECORD_TRAINING = "mes.record_training"
    APPROVE_ACCESS = "mes.approve_access"
    READ_AUDIT = "mes.read_audit"
    MAKE_EVIDENCE = "mes.make_evidence"
