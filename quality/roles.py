"""The roles a site is opened with: code, printed name, permissions. A site may change them; these are where it starts.

The recipe's `performed_by` names these codes. The administrator holds no GMP right, the inspector reads
everything of a lot and writes nothing (21 CFR 11.10(b)), and equipment never signs.
"""

from __future__ import annotations

from batches.permissions import Permission as B
from mes.permissions import Permission as M
from quality.permissions import Permission as Q

_READ = [B.READ_LOTS, B.READ_RECORD]

ROLES: dict[str, tuple[str, list[str]]] = {
    "scheduler": ("Scheduler", [*_READ, B.ORDER_LOT, B.SEE_PATIENT_IDENTITY, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON]),
    "collection_nurse": ("Collection nurse", [*_READ, B.RECORD_COLLECTION, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON, B.SEE_PATIENT_IDENTITY, B.PRINT_LABELS]),
    "receiving": ("Receiving operator", [*_READ, B.RECEIVE_STARTING_MATERIAL, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON, B.MANAGE_MATERIALS, B.PRINT_LABELS]),
    "operator": ("Operator", [*_READ, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON, B.HOLD_LOT, B.PRINT_LABELS, Q.DRAW_SAMPLES]),
    "second_person": ("Second person", [*_READ, B.SIGN_AS_SECOND_PERSON, B.RECORD_VALUES, B.HOLD_LOT]),
    "qc_analyst": ("QC analyst", [*_READ, Q.RECORD_RESULTS, Q.READ_DEVIATIONS, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON]),
    "qc_reviewer": ("QC reviewer", [*_READ, Q.REVIEW_RESULTS, Q.READ_DEVIATIONS, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON]),
    "qa_reviewer": (
        "QA reviewer",
        [
            *_READ, M.READ_AUDIT, M.MAKE_EVIDENCE, M.APPROVE_ACCESS, Q.READ_DEVIATIONS, Q.INVESTIGATE_DEVIATIONS, Q.ASSESS_DEVIATIONS, Q.REVIEW_LOT,
            Q.ACKNOWLEDGE_ALERTS,
            Q.READ_CERTIFICATE, Q.APPROVE_SPECIFICATIONS, B.DECIDE_STARTING_MATERIAL, B.RELEASE_MATERIAL, B.ERASE_PATIENT, B.APPROVE_RECIPES, B.HOLD_LOT, B.RESUME_LOT,
            B.TERMINATE_LOT, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON,
        ],
    ),
    "qa_release": (
        "Qualified Person",
        [
            *_READ, M.READ_AUDIT, M.MAKE_EVIDENCE, Q.READ_DEVIATIONS, Q.CERTIFY_LOT, Q.READ_CERTIFICATE, Q.ACKNOWLEDGE_ALERTS, B.ERASE_PATIENT, B.HOLD_LOT,
            B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON,
        ],
    ),
    "treatment_centre": (
        "Treatment centre",
        [B.READ_LOTS, Q.READ_CERTIFICATE, Q.RECORD_INFUSION, B.SEE_PATIENT_IDENTITY, Q.ACKNOWLEDGE_ALERTS, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON],
    ),
    "process_engineer": ("Process engineer", [*_READ, B.AUTHOR_RECIPES, Q.AUTHOR_SPECIFICATIONS]),
    "supervisor": (
        "Supervisor",
        [
            *_READ, M.RECORD_TRAINING, M.READ_AUDIT, Q.READ_DEVIATIONS, Q.INVESTIGATE_DEVIATIONS, Q.ACKNOWLEDGE_ALERTS, Q.DISPATCH_PRODUCT, B.ISSUE_PRODUCT,
            B.HOLD_LOT, B.RESUME_LOT, B.TERMINATE_LOT, B.MANAGE_EQUIPMENT, B.MANAGE_MATERIALS, B.RECORD_VALUES, B.SIGN_AS_SECOND_PERSON, B.PRINT_LABELS,
        ],
    ),
    "administrator": ("Administrator", [M.MANAGE_PEOPLE, M.UNLOCK_PEOPLE]),
    "inspector": ("Inspector (reads only)", [*_READ, M.READ_AUDIT, Q.READ_DEVIATIONS, Q.READ_CERTIFICATE]),
    "support": ("Vendor support (reads only)", [M.READ_AUDIT]),
    "equipment": ("Equipment", [B.POST_READINGS]),
}  # fmt: skip
