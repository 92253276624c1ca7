"""What a refused attempt tried, in words: one table from the name of the deed, as the security event keeps it, to what a person calls it.

Names are strings, as in mes/reactions.py: nothing is imported. A house test asks for words of each service and of each other act that can be refused.
"""

from __future__ import annotations

import re
from functools import cache

from mes.words import plain

DEEDS: dict[str, str] = {
    # people, rights and keys
    "acknowledge_accountability": "acknowledge the accountability for signatures",
    "announce_key": "announce the key of the checkpoints",
    "approve_deputy": "approve a deputy",
    "approve_emergency_access": "approve emergency access",
    "ask_for_emergency_access": "ask for emergency access",
    "begin_second_factor": "begin to set up a second factor",
    "close_account": "close an account",
    "confirm_second_factor": "confirm a second factor",
    "cosign": "co-sign a checkpoint of another site",
    "define_role": "define a role",
    "device_token": "call with the token of a device",
    "end_grant": "end a role of a person",
    "end_sessions": "end sessions",
    "enrol_passkey": "enrol a passkey",
    "enrol_person": "enrol a person",
    "grant_role": "give a role to a person",
    "invite_person": "invite a person",
    "issue_device_token": "issue the token of a device",
    "join_person": "let a person join the site",
    "lock_person": "lock a person",
    "make_evidence": "make an evidence file",
    "name_system_actor": "name a machine that acts by itself",
    "open_site": "open a site",
    "propose_deputy": "propose a deputy",
    "record_anchor": "keep the receipt of an anchor",
    "record_evidence_file": "keep an evidence file",
    "record_notice": "record the notice of a person's electronic signature",
    "record_qualification": "record a training",
    "record_sign_in": "sign in",
    "record_sign_out": "sign out",
    "record_trail_check": "keep the result of a check of the trail",
    "retire_passkey": "retire a passkey",
    "retire_second_factor": "retire a second factor",
    "review_access": "review who has access",
    "review_emergency_access": "review an emergency access",
    "revoke_device_token": "revoke the token of a device",
    "second_factor": "go on without a second factor",
    "set_password": "set a password",
    "set_pin": "set a signing PIN",
    "sign": "sign",
    "sign_in": "sign in",
    "take_checkpoint": "take a checkpoint",
    "suspect_passkey": "mark a passkey of which there may be a copy",
    "unlock_person": "unlock a person",
    "use_code": "use a one-time code",
    "verify_identity": "verify a person's identity",
    # patients, lots, materials, equipment
    "add_donation": "add a donation",
    "block_lot": "block a material lot",
    "calibrate": "record a calibration",
    "cancel_lot": "cancel an order",
    "change_state": "change the state of equipment",
    "collect_donation": "record the collection of a donation",
    "correct_identity": "correct a patient's identity",
    "decide_donation": "decide about a donation",
    "define_channel": "define a channel of readings",
    "define_class": "define a class of equipment",
    "define_material": "define a material",
    "destroy_patient_key": "erase a patient's identity",
    "end_hold": "end a hold",
    "enter_patient": "enter a patient",
    "free": "free equipment",
    "free_all_of": "free the equipment of a lot",
    "ingest": "take in readings",
    "make_container": "make a container",
    "move_container": "change the state of a container",
    "move_lot": "change the state of a lot",
    "occupy": "occupy equipment",
    "order_lot": "order a lot",
    "place_hold": "put a lot on hold",
    "put_on_hold": "put a lot on hold",
    "read_identity": "read a patient's identity",
    "receive_donation": "receive a donation",
    "receive_lot": "receive a material lot",
    "register_equipment": "register equipment",
    "reject_lot": "reject a material lot",
    "release_lot": "release a material lot",
    "start_lot": "start a lot",
    "terminate_lot": "end a lot before release",
    # recipes and specifications
    "approve_recipe": "approve a recipe",
    "approve_specification": "approve a specification",
    "import_recipe": "import a recipe",
    "import_specification": "import a specification",
    "make_effective": "make a version effective",
    "return_recipe": "return a recipe to its author",
    "return_specification": "return a specification to its author",
    "specify_lot": "fix the specification of a lot",
    "submit_recipe": "submit a recipe",
    "submit_specification": "submit a specification",
    # execution, custody, record
    "ask_for_record": "ask for the batch record",
    "attach": "attach a file",
    "choose": "choose what follows a passed limit",
    "confirm_reading": "confirm a reading of equipment",
    "consume": "record the use of material",
    "correct_consumption": "correct a recorded use of material",
    "correct_value": "correct a recorded value",
    "decide": "decide at a step",
    "destroy_label": "record the destruction of a label",
    "hand_over": "hand over a container",
    "keep_record": "keep the printed batch record",
    "leave_out_step": "leave out a step",
    "open_specimen": "open the kept specimen of a label",
    "open_step": "open a step",
    "perform_step": "sign a step as performed",
    "plan_lot": "plan the steps of a lot",
    "print_label": "print a label",
    "record_time_breach": "record a passed time limit",
    "record_value": "record a value",
    "record_values": "record values",
    "resume_step": "resume a stopped step",
    "second_sign_step": "sign a step as second person",
    "stop_step": "stop a step",
    "use_equipment": "record the use of equipment",
    "use_label": "record the use of a label",
    # quality
    "acknowledge": "acknowledge an alert",
    "assess": "assess the impact of a deviation",
    "assess_integrity": "assess what was found of trail and guards",
    "bear_samples": "plan the samples of a lot",
    "certify": "certify a lot",
    "classify": "classify a deviation",
    "close": "close a deviation",
    "confirm_integrity": "confirm the assessment of trail and guards",
    "correct_result": "correct a result",
    "dispatch": "dispatch a product",
    "disposition": "decide about an exception",
    "draw_sample": "draw a sample",
    "draw_samples_of_step": "draw the samples of a step",
    "escalate": "tell an alert further",
    "finish_review": "sign the review of a lot",
    "investigate": "write the investigation of a deviation",
    "judge_anew": "judge a result anew",
    "keep_certificate": "keep a certificate",
    "late_failure": "record a failure after certification",
    "lose_sample": "record the loss of a sample",
    "note_secret_change": "note a change of a person's secret",
    "open_by_hand": "open a deviation",
    "open_for_excursion": "open a deviation for a passed limit",
    "open_for_result": "open a deviation for a result",
    "open_review": "open the review of a lot",
    "raise_alert": "raise an alert",
    "receive_sample": "receive a sample",
    "record_delivery": "record that somebody was alerted",
    "record_result": "record a result",
    "record_secret_mail": "record that a person was told of a changed secret",
    "record_use": "record the use of a product",
    "reject": "reject a lot",
    "reopen_review": "open the review of a lot again",
    "review_result": "review a result",
    "review_sample": "review the results of a sample",
    "settle": "settle an alert",
    "state_not_tested": "state that a test was not done",
    "withdraw": "withdraw a certification",
}

KINDS: dict[str, str] = {
    "authority_refused": "Not allowed",
    "identity_mismatch": "Identity does not match",
    "identity_read": "Identity of a patient read",
    "log_refused": "Checkpoint or time-stamp refused",
    "out_of_sequence": "Out of sequence",
    "sign_in_refused": "Sign-in refused",
    "signing_refused": "Signature refused",
    "signing_locked": "Signing locked",
    "token_refused": "Token of a device refused",
    "wrong_scan": "Wrong scan",
}

AREAS: dict[str, str] = {
    "access": "access", "alerts": "alerts", "analytics": "product review", "checkpoints": "checkpoints", "custody": "labels and hand-overs",
    "deviations": "deviations", "dossier": "batch record", "equipment": "equipment", "evidence": "evidence files", "execution": "steps",
    "inspection": "audit trail", "lots": "lots", "materials": "materials", "passkeys": "passkeys", "people": "people", "readings": "readings",
    "recipes": "master recipes", "release": "release", "review": "review", "samples": "QC", "signatures": "signatures", "specifications": "specifications",
    "subjects": "subjects",
}  # fmt: skip
"""Where a page belongs, by the folder of its view, in the words of the navigation: "list" alone is the page of several folders."""

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PARTS = ("Page", "View")


def named(view: type) -> str:
    """A view as a security event keeps it: "ListPage of deviations", its class and the folder it stands in."""
    return f"{view.__name__} of {view.__module__.split('.')[1]}"


def opening(page: type) -> str:
    """The same of a page that somebody tried to open."""
    return f"open {named(page)}"


@cache
def deed_words(attempted: str) -> str:
    """What was tried, for a person: a deed by its words, a page or a part of the interface by where it belongs and its own name.

    Events from before the folder was kept have the name alone.
    """
    opened = attempted.removeprefix("open ")
    view, _, folder = opened.partition(" of ")
    if opened != attempted or _HUMPS.search(view) or attempted[:1].isupper():
        kind = next((part for part in _PARTS if view.endswith(part)), "")
        name = " ".join(_HUMPS.split(view.removesuffix(kind))).lower() or view.lower()
        area = AREAS.get(folder) or plain(folder)
        called = name if not area or name == area else f"{area}, {name}"
        return f"open the {'page' if opened != attempted else 'interface'} “{called}”"
    return DEEDS.get(attempted) or plain(attempted)


def kind_words(kind: str) -> str:
    """What kind of refusal it was, for a person."""
    return KINDS.get(kind) or plain(kind).capitalize()


def deeds_called(text: str) -> list[str]:
    """The names of the deeds whose words hold this text."""
    return [name for name, words in DEEDS.items() if text and text.lower() in words]


def areas_called(text: str) -> list[str]:
    """The folders of views whose words hold this text."""
    return [folder for folder, words in AREAS.items() if text and text.lower() in words.lower()]
