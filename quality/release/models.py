"""Release: decisions about a lot, the certificate of each, and what became of the product."""

from __future__ import annotations

from django.db import models

from batches.lots.models import Container, Lot
from mes.records.models import Fact
from mes.signatures.models import Signature


class ReleaseDecision(Fact):
    """Stage-1 or final certification, rejection, withdrawal: signed, with every line of the gate as it was."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="release_decisions")
    kind = models.CharField(max_length=20)
    """stage_1, final, rejected, withdrawn."""
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")
    gate = models.JSONField()
    """The gate's lines with their results, as checked inside the signing transaction."""
    reason = models.TextField(blank=True)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "kind"],
                condition=models.Q(kind__in=["stage_1", "final", "rejected"]),
                name="release_decision_once_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.lot_id}"


class Certificate(Fact):
    """A certificate as PDF, rendered from the signed content. The final one supersedes stage 1 and never overwrites it."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="certificates")
    decision = models.OneToOneField(ReleaseDecision, on_delete=models.PROTECT, related_name="certificate")
    number = models.CharField(max_length=60, unique=True)
    stage = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64)
    pdf = models.BinaryField()
    content_digest = models.CharField(max_length=64)
    """SHA-256 of the signed content: the record digest that the certificate prints."""
    entries = models.IntegerField()
    """How many audit entries the annex prints: equal to the lot's stream at signing."""

    def __str__(self) -> str:
        return self.number


class CertificateInvalidation(Fact):
    """A certificate no longer holds: a late result failed, or the certification was withdrawn."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="certificate_invalidations")
    decision = models.ForeignKey(ReleaseDecision, on_delete=models.PROTECT, related_name="invalidations")
    cause = models.CharField(max_length=120)
    sentence = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "cause"], name="certificate_invalidated_once_a_cause")]

    def __str__(self) -> str:
        return self.sentence


class IntegrityAssessment(Fact):
    """A quality person's signed judgement of a broken trail or a missing guard: what was found, and what it means for this lot (decisions 8)."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="integrity_assessments")
    findings = models.JSONField()
    """Every finding that was there, in words, in order: the assessment covers these and no others."""
    text = models.TextField()
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.text


class IntegrityConfirmation(Fact):
    """A second person of quality read the assessment and signed that the lot can be judged for release on it."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="integrity_confirmations")
    assessment = models.OneToOneField(IntegrityAssessment, on_delete=models.PROTECT, related_name="confirmation")
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"confirmation of {self.assessment_id}"


class ProductUse(Fact):
    """The product was infused, or not: with the identity check of two persons."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="product_uses")
    container = models.ForeignKey(Container, on_delete=models.PROTECT, related_name="product_uses")
    infused = models.BooleanField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    volume_text = models.CharField(max_length=40, blank=True)
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    first_signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")
    second_signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["container"], name="product_use_once_a_container"),
            models.CheckConstraint(condition=~models.Q(first_signature=models.F("second_signature")), name="product_use_two_signatures"),
        ]

    def __str__(self) -> str:
        return f"{'infused' if self.infused else 'not infused'}: {self.container_id}"
