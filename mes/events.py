"""Every audit event of mes."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    REFUSED = "mes.refused"
    SITE_OPENED = "mes.site_opened"
    ROLE_DEFINED = "mes.role_defined"
    PERSON_ENROLLED = "mes.person_enrolled"
    PERSON_INVITED = "mes.person_invited"
    PERSON_JOINED = "mes.person_joined"
    IDENTITY_VERIFIED = "mes.identity_verified"
    ACCOUNTABILITY_ACKNOWLEDGED = "mes.accountability_acknowledged"
    ACCOUNT_CLOSED = "mes.account_closed"
    DEPUTY_PROPOSED = "mes.deputy_proposed"
    DEPUTY_APPROVED = "mes.deputy_approved"
    NOTICE_RECORDED = "mes.notice_recorded"
    SYSTEM_ACTOR_NAMED = "mes.system_actor_named"
    GRANT_GIVEN = "mes.grant_given"
    GRANT_ENDED = "mes.grant_ended"
    PASSWORD_SET = "mes.password_set"
    PIN_SET = "mes.pin_set"
    SECOND_FACTOR_BEGUN = "mes.second_factor_begun"
    SECOND_FACTOR_CONFIRMED = "mes.second_factor_confirmed"
    SECOND_FACTOR_RETIRED = "mes.second_factor_retired"
    CODE_USED = "mes.code_used"
    PERSON_LOCKED = "mes.person_locked"
    PERSON_UNLOCKED = "mes.person_unlocked"
    SIGNED_IN = "mes.signed_in"
    SIGNED_OUT = "mes.signed_out"
    QUALIFICATION_RECORDED = "mes.qualification_recorded"
    DEVICE_TOKEN_ISSUED = "mes.device_token_issued"
    DEVICE_TOKEN_REVOKED = "mes.device_token_revoked"
    SIGNED = "mes.signed"
    CHECKPOINT_TAKEN = "mes.checkpoint_taken"
    CHECKPOINT_ANCHORED = "mes.checkpoint_anchored"
