"""A passkey: the public half of a key that stays in a person's device or security key (WebAuthn), and where its counter stands."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mes.people.models import User
from mes.records.models import Record


class Passkey(Record):
    """A person's passkey: a second factor that signs what is shown. Bound before a second person, retired by another. 21 CFR 11.300(b), (c).

    Nothing of it is a secret: the private key never leaves the device, and a handle without it opens nothing.
    """

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="passkeys")
    name = models.CharField(max_length=60)
    """What its owner calls it."""
    credential_id = models.BinaryField(unique=True)
    """The handle by which a device finds the key again."""
    public_key = models.BinaryField()
    """COSE_Key (RFC 9052) of ES256, EdDSA or RS256."""
    aaguid = models.UUIDField()
    """The make of the device as it says itself; nobody vouched for it, for no attestation is asked for."""
    sign_count = models.BigIntegerField()
    """The device's counter at enrolment; where it stands now is a PasskeyCounter."""
    backup_eligible = models.BooleanField()
    backed_up = models.BooleanField()
    transports = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    suspect = models.BooleanField(default=False)
    """Its counter did not grow: somebody may have a copy. It signs nothing any more and waits to be retired."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="passkey_has_a_name"),
            models.CheckConstraint(condition=Q(sign_count__gte=0), name="passkey_counts_up"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"


class PasskeyCounter(models.Model):
    """Working row: the newest counter that a passkey sent, and the digest of its newest answer. The signatures themselves keep every one that counted."""

    passkey = models.OneToOneField(Passkey, on_delete=models.PROTECT, primary_key=True, related_name="counter")
    count = models.BigIntegerField()
    answer = models.BinaryField(default=bytes)
    """SHA-256: an answer that is sent twice is no copy of the key, and counts once."""

    def __str__(self) -> str:
        return f"{self.passkey_id}: {self.count}"
