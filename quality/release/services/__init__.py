"""Deeds of the release, by what they are about: decisions about the lot, and what becomes of the product."""

from quality.release.queries import use_facts
from quality.release.services.decisions import certify, keep_certificate, late_failure, reject, withdraw
from quality.release.services.integrity import assess_integrity, confirm_integrity
from quality.release.services.supply import dispatch, record_use

__all__ = ["assess_integrity", "certify", "confirm_integrity", "dispatch", "keep_certificate", "late_failure", "record_use", "reject", "use_facts", "withdraw"]
