"""What the vault hangs onto at start."""

from batches.permissions import Permission
from mes.web import panels


def register() -> None:
    panels.register_nav("Subjects", "batches:subjects:list", (Permission.SEE_PATIENT_IDENTITY, Permission.ERASE_PATIENT), order=620)
