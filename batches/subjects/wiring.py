"""What the vault hangs onto at start."""

import uuid

from batches.permissions import Permission
from batches.subjects.models import Patient
from mes.audit import streams
from mes.web import panels


def pseudonyms(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Patient.objects.filter(pk__in=ids).values_list("pk", "pseudonym"))


def register() -> None:
    streams.name_with("subject", pseudonyms)
    panels.register_nav("Subjects", "batches:subjects:list", (Permission.SEE_PATIENT_IDENTITY, Permission.ERASE_PATIENT), order=620)
