"""The face that Django sees: every model of mes."""

from mes.api.models import IdempotencyKey
from mes.audit.models import AuditEntry, AuditRow, RowSchema, StreamHead
from mes.checkpoints.models import AnchorReceipt, Checkpoint
from mes.people.models import (
    AccessEvent,
    DeviceCredential,
    FailureCounter,
    Grant,
    PersonLock,
    Qualification,
    Role,
    SecondFactor,
    SignInThrottle,
    SimulatedClock,
    Site,
    UsedCode,
    User,
)
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature, SignaturePayload, SigningIntent

__all__ = [
    "AccessEvent", "AnchorReceipt", "AuditEntry", "AuditRow", "Checkpoint", "DeviceCredential", "FailureCounter", "Grant", "IdempotencyKey", "PersonLock", "Qualification",
    "Role", "RowSchema", "SecondFactor", "SecurityEvent", "SignInThrottle", "Signature", "SignaturePayload", "SigningIntent", "SimulatedClock", "Site",
    "StreamHead", "UsedCode", "User",
]  # fmt: skip
