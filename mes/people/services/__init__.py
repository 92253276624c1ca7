"""Deeds on people, sites and their rights."""

from mes.people.services.access import (
    begin_try,
    end_try,
    end_try_unless_locked,
    lock_person,
    record_sign_in,
    record_sign_out,
    reset_failures,
    unlock_person,
)
from mes.people.services.credentials import (
    begin_second_factor,
    confirm_second_factor,
    issue_device_token,
    retire_second_factor,
    revoke_device_token,
    set_password,
    set_pin,
    use_code,
)
from mes.people.services.enabling import record_notice, verify_identity
from mes.people.services.joining import invite_person, join_person
from mes.people.services.register import (
    close_account,
    define_role,
    end_grant,
    enrol_person,
    grant_role,
    name_system_actor,
    open_site,
    record_qualification,
)
from mes.people.services.sessions import end_sessions

__all__ = [
    "begin_second_factor",
    "begin_try",
    "close_account",
    "confirm_second_factor",
    "define_role",
    "end_grant",
    "end_sessions",
    "end_try",
    "end_try_unless_locked",
    "enrol_person",
    "grant_role",
    "invite_person",
    "issue_device_token",
    "join_person",
    "lock_person",
    "name_system_actor",
    "open_site",
    "record_notice",
    "record_qualification",
    "record_sign_in",
    "record_sign_out",
    "reset_failures",
    "retire_second_factor",
    "revoke_device_token",
    "set_password",
    "set_pin",
    "unlock_person",
    "use_code",
    "verify_identity",
]  # fmt: skip
