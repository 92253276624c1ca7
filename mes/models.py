"""The face that Django sees: every model of mes."""

from mes.api.models import IdempotencyKey
from mes.audit.models import AuditEntry, AuditRow, RowSchema, StreamHead
from mes.checkpoints.models import AnchorReceipt, Checkpoint
from mes.evidence.models import EvidenceFile
from mes.people.models import (
    AccessEvent,
    DeviceCredential,
    FailureCounter,
    Grant,
    PersonLock,
    Qualification,
    Role,
    SecondFactor,
    SimulatedClock,
    Site,
    UsedCode,
    User,
)
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature, SignaturePayload, SignatureSeal, SigningIntent

__all__ = [
    "AccessEvent", "AnchorReceipt", "AuditEntry", "AuditRow", "Checkpoint", "DeviceCredential", "EvidenceFile",
    "FailureCounter", "Grant", "IdempotencyKey", "PersonLock", "Qualification",
    "Role", "RowSchema", "SecondFactor", "SecurityEvent", "Signature", "SignaturePayload", "SignatureSeal", "SigningIntent", "SimulatedClock", "Site",
    "StreamHead", "UsedCode", "User",
]  # fmt: skip
