"""Signatures: a person, a meaning, the exact bytes that were signed. Facts: never changed, never removed."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import F, Q

from mes.keys import uuid7
from mes.passkeys.models import Passkey
from mes.people.models import Grant, Role, User
from mes.records.models import Fact, Record


def new_nonce() -> bytes:
    """32 random bytes, for one page that is opened to sign on."""
    return secrets.token_bytes(32)


class SigningIntent(models.Model):
    """Working row: what was shown to be signed, by digest; single use, minutes to live."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    site_id = models.UUIDField()
    session_user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    record_type = models.CharField(max_length=80)
    record_id = models.UUIDField()
    record_version = models.IntegerField()
    meaning = models.CharField(max_length=40)
    station = models.CharField(max_length=80, blank=True)
    payload_digest = models.BinaryField()
    nonce = models.BinaryField(default=new_nonce)
    """What a passkey's challenge is bound to beside the digest; of the page, so that a reason typed on it changes the digest alone."""
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.meaning} of {self.record_type} {self.record_id}"


class Signature(Fact):
    """One person's signature of one record version with one meaning. 21 CFR 11.50, 11.70; Annex 11 (2011) 14."""

    lot_id = models.UUIDField(null=True)
    stream_name = models.CharField(max_length=120)
    signer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="signatures")
    username = models.CharField(max_length=150)
    full_name = models.CharField(max_length=200)
    role = models.CharField(max_length=600)
    """Role as printed; of a deputy with the authority: "QA reviewer, deputy of X, authority <id>, <from> to <to>"."""
    authority_id = models.UUIDField(null=True)
    """The DeputyAuthority under which it was signed, by value."""
    meaning = models.CharField(max_length=40)
    meaning_text = models.TextField()
    record_type = models.CharField(max_length=80)
    record_id = models.UUIDField()
    record_version = models.IntegerField()
    payload_schema = models.CharField(max_length=60)
    payload_digest = models.BinaryField()
    auth_methods = models.JSONField()
    station = models.CharField(max_length=80, blank=True)
    site_time_zone = models.CharField(max_length=60)
    app_version = models.CharField(max_length=40)
    requires = models.JSONField(default=list)
    intent_id = models.UUIDField(unique=True)

    stream_kind = "signature"

    class Meta:
        indexes = [
            models.Index(fields=["record_id", "meaning"], name="signature_record_meaning"),
            models.Index(fields=["lot_id"], name="signature_lot"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(full_name="") & ~Q(username="") & ~Q(meaning_text="") & ~Q(site_time_zone=""), name="signature_names_its_elements"
            ),
            # What people sign about themselves, before any role lets them sign, has none.
            models.CheckConstraint(condition=~Q(role="") | Q(meaning="acknowledged_accountability"), name="signature_names_its_role"),
        ]

    def __str__(self) -> str:
        return f"{self.full_name}: {self.meaning}"

    def audit_line(self) -> dict[str, str]:
        """How the trail says it: who signed what with which meaning."""
        role = f", {self.role}" if self.role else ""
        kind = self.record_type.rsplit(".", 1)[-1]
        return {
            "what": "Signature",
            "field": self.meaning.replace("_", " "),
            "new": f"{self.full_name} ({self.username}){role}: {self.meaning_text} ({kind} v{self.record_version})",
        }

    @property
    def stream(self) -> str:
        return self.stream_name


class SignaturePayload(Fact):
    """The exact bytes that were hashed, so that checking never needs today's serializer."""

    lot_id = models.UUIDField(null=True)
    stream_name = models.CharField(max_length=120)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="payload")
    content = models.BinaryField()

    stream_kind = "signature"

    def __str__(self) -> str:
        return f"payload of {self.signature_id}"

    def audit_line(self) -> dict[str, str]:
        return {"what": "What was signed", "new": "kept byte for byte with its digest"}

    @property
    def stream(self) -> str:
        return self.stream_name


class SignatureAssertion(Fact):
    """What a passkey's device signed for a signature, byte for byte, and the key by which anybody can check it. WebAuthn Level 3, 7.2.

    Its challenge is SHA-256 of a domain, the nonce and the signature's payload digest: the device signed this content and no other. 21 CFR 11.70.
    """

    lot_id = models.UUIDField(null=True)
    stream_name = models.CharField(max_length=120)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="assertion")
    passkey = models.ForeignKey(Passkey, on_delete=models.PROTECT, related_name="+")
    credential_id = models.BinaryField()
    public_key = models.BinaryField()
    """COSE_Key as it was enrolled when this was signed."""
    nonce = models.BinaryField()
    relying_party = models.CharField(max_length=255)
    authenticator_data = models.BinaryField()
    client_data = models.BinaryField()
    proof = models.BinaryField()

    stream_kind = "signature"

    def __str__(self) -> str:
        return f"passkey's proof of {self.signature_id}"

    def audit_line(self) -> dict[str, str]:
        return {"what": "Proof of the passkey", "new": f"kept byte for byte, of the passkey {self.passkey_id} at {self.relying_party}"}

    @property
    def stream(self) -> str:
        return self.stream_name


class SignatureSeal(Fact):
    """The site's seal on a signature, by a key outside the database: what SQL alone cannot make. SIG-17."""

    lot_id = models.UUIDField(null=True)
    stream_name = models.CharField(max_length=120)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="seal")
    key_name = models.CharField(max_length=120)
    key_id = models.CharField(max_length=8)
    seal = models.BinaryField()

    stream_kind = "signature"

    def __str__(self) -> str:
        return f"seal of {self.signature_id}"

    def audit_line(self) -> dict[str, str]:
        return {"what": "Seal of the signature", "new": f"made with the key {self.key_id} of {self.key_name}"}

    @property
    def stream(self) -> str:
        return self.stream_name


class DeputyAuthority(Record):
    """A dated authority, approved by a second person, under which a deputy signs in the deputy's own name. 21 CFR 11.100(a).

    Approving it gives the deputy the role from and to these times; ending that role earlier ends the authority.
    """

    stream_kind = "person"
    stream_field = "deputy_id"

    deputy = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    principal = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    why = models.CharField(max_length=400)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, null=True, related_name="authority")
    signature_id = models.UUIDField(null=True)
    """The approver's signature, by value."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(deputy=F("principal")), name="deputy_of_another"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="deputy_ends_after_start"),
            models.CheckConstraint(
                condition=Q(approved_by=None) | (~Q(approved_by=F("deputy")) & ~Q(approved_by=F("proposed_by"))), name="deputy_approved_by_second"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, grant=None, signature_id=None)
                | Q(approved_by__isnull=False, grant__isnull=False, signature_id__isnull=False),
                name="deputy_acts_once_approved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deputy_id} for {self.principal_id}"
