"""The face that Django sees: every model of mes."""

from mes.access.models import AccessReview, EmergencyAccess
from mes.api.models import IdempotencyKey
from mes.audit.models import AuditEntry, AuditRow, RowSchema, StreamHead
from mes.checkpoints.models import AnchorReceipt, Checkpoint, TrailCheck, Witnessed
from mes.evidence.models import EvidenceFile
from mes.passkeys.models import Passkey, PasskeyCounter
from mes.people.models import (
    AccessEvent,
    Acknowledgement,
    AuthorityNotice,
    DeviceCredential,
    FailureCounter,
    Grant,
    IdentityCheck,
    PersonLock,
    Qualification,
    Role,
    SecondFactor,
    SignInThrottle,
    SimulatedClock,
    Site,
    UsedCode,
    User,
    UserSession,
)
from mes.records.models import SecurityEvent
from mes.signatures.models import DeputyAuthority, Signature, SignatureAssertion, SignaturePayload, SignatureSeal, SigningIntent

__all__ = [
    "AccessEvent", "AccessReview", "Acknowledgement", "AnchorReceipt", "AuditEntry", "AuditRow", "AuthorityNotice", "Checkpoint", "DeputyAuthority",
    "DeviceCredential", "EmergencyAccess", "EvidenceFile", "FailureCounter", "Grant", "IdempotencyKey", "IdentityCheck", "Passkey", "PasskeyCounter",
    "PersonLock", "Qualification", "Role", "RowSchema", "SecondFactor", "SecurityEvent", "SignInThrottle", "Signature", "SignatureAssertion", "SignaturePayload",
    "SignatureSeal", "SigningIntent", "SimulatedClock", "Site", "StreamHead",
    "TrailCheck", "UsedCode", "User", "UserSession", "Witnessed",
]  # fmt: skip
