"""The face that Django sees: every model of quality."""

from quality.alerts.models import Alert, AlertDelivery, Heartbeat, SecretNotice, SecretNoticeMail
from quality.deviations.models import Deviation
from quality.release.models import Certificate, CertificateInvalidation, IntegrityAssessment, IntegrityConfirmation, ProductUse, ReleaseDecision
from quality.review.models import Disposition, Review
from quality.samples.models import Result, ResultReview, Sample
from quality.specifications.models import LotSpecification, Specification, SpecificationVersion

__all__ = [
    "Alert", "AlertDelivery", "Certificate", "CertificateInvalidation", "Deviation", "Disposition", "Heartbeat", "IntegrityAssessment",
    "IntegrityConfirmation", "LotSpecification", "ProductUse", "ReleaseDecision", "Result", "ResultReview", "Review", "Sample",
    "SecretNotice", "SecretNoticeMail", "Specification", "SpecificationVersion",
]  # fmt: skip
