"""Every permission of quality."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    AUTHOR_SPECIFICATIONS = "quality.author_specifications"
    APPROVE_SPECIFICATIONS = "quality.approve_specifications"
    DRAW_SAMPLES = "quality.draw_samples"
    RECORD_RESULTS = "quality.record_results"
    REVIEW_RESULTS = "quality.review_results"
    READ_DEVIATIONS = "quality.read_deviations"
    INVESTIGATE_DEVIATIONS = "quality.investigate_deviations"
    ASSESS_DEVIATIONS = "quality.assess_deviations"
    ACKNOWLEDGE_ALERTS = "quality.acknowledge_alerts"
    REVIEW_LOT = "quality.review_lot"
    CERTIFY_LOT = "quality.certify_lot"
    READ_CERTIFICATE = "quality.read_certificate"
    DISPATCH_PRODUCT = "quality.dispatch_product"
    RECORD_INFUSION = "quality.record_infusion"
