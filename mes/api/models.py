"""Idempotency: the answer to a POST is kept with its key, so that a retry changes nothing."""

from __future__ import annotations

from django.db import models

from mes.keys import uuid7


class IdempotencyKey(models.Model):
    """Working row: a key used by a person or device on a path, the fingerprint of the body, the answer given.

    The answer is kept encrypted where it may hold identity (decisions 10); the fingerprint is keyed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    user_id = models.UUIDField()
    key = models.CharField(max_length=100)
    path = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    answer = models.BinaryField(null=True)
    content_type = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
