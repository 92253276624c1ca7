"""What specifications hang onto at start: a lot gets its specification in the order's own transaction."""

import uuid

from batches.events import Event as BatchEvent
from batches.recipes import outside
from mes.audit import streams
from mes.records.door import receive
from mes.web.panels import register_nav
from quality.permissions import Permission
from quality.specifications.models import Specification
from quality.specifications.queries import criteria_by_code
from quality.specifications.services import specify_lot


def specify_ordered_lot(*, by, subject) -> None:
    """Receiver of LOT_ORDERED, inside the deed that ordered it."""
    specify_lot(by=by, lot=subject)


def codes(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Specification.objects.filter(pk__in=ids).values_list("pk", "code"))


def register() -> None:
    streams.name_with("specification", codes)
    outside.offer_criteria(criteria_by_code)
    receive(BatchEvent.LOT_ORDERED, specify_ordered_lot)
    rights = [Permission.AUTHOR_SPECIFICATIONS, Permission.APPROVE_SPECIFICATIONS, Permission.RECORD_RESULTS]
    register_nav("Specifications", "quality:specifications:list", rights, order=75)
