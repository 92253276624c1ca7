"""Long lists in pages that never shift: each page begins after the last key of the one before (keyset)."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from mes.errors import UnreadableInput

USUAL, MOST = 50, 200

PARAMETERS = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="Where the next page begins: `next` of the page before."),
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"Rows in a page, {USUAL} unless told, at most {MOST}."),
]


@dataclass(frozen=True)
class Page:
    """Rows of one page and the cursor of the next ("" at the end)."""

    items: list
    next: str

    def data(self, serializer: type[serializers.BaseSerializer], **context) -> dict:
        """The page as an answer: {"items": […], "next": "…"}."""
        return {"items": serializer(self.items, many=True, context=context).data, "next": self.next}


def page(request, rows: QuerySet, *, by: str = "-id") -> Page:
    """One page of rows in the order of a unique column (`by`, with "-" for newest first; UUIDv7 keys are in time order).

    Reads `cursor` and `limit` from the query. Raises UnreadableInput for one that cannot be read.
    """
    column, falling = by.lstrip("-"), by.startswith("-")
    limit = _limit(request.query_params.get("limit"))
    cursor = request.query_params.get("cursor")
    rows = rows.order_by(by)
    if cursor:
        try:
            rows = rows.filter(**{f"{column}__{'lt' if falling else 'gt'}": _unpack(cursor, by)})
        except (ValueError, TypeError, ValidationError) as error:
            raise UnreadableInput("cursor_unreadable", "This cursor is not one of this list. Start at the first page.", field="cursor") from error
    found = list(rows[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(found, _pack(getattr(found[-1], column), by) if more else "")


def pages_of(serializer: type[serializers.Serializer]) -> serializers.Serializer:
    """The shape of a page of these, for a view's `answers`."""
    shape = inline_serializer(
        f"{serializer.__name__}Page",
        {
            "items": serializer(many=True),
            "next": serializers.CharField(allow_blank=True, help_text="The cursor of the next page; empty at the end."),
        },
    )
    type(shape).__module__ = serializer.__module__  # named after the folder that it is of
    return shape


def _limit(given: str | None) -> int:
    if given is None:
        return USUAL
    if not given.isdecimal() or not 1 <= int(given) <= MOST:
        raise UnreadableInput("limit_unreadable", f"The limit is a whole number from 1 to {MOST}.", field="limit")
    return int(given)


def _pack(value: Any, by: str) -> str:
    kept = value if isinstance(value, int) else str(value)
    return base64.urlsafe_b64encode(json.dumps([by, kept]).encode()).decode().rstrip("=")


def _unpack(cursor: str, by: str) -> Any:
    order, value = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if order != by:
        raise ValueError("a cursor of another list")
    return uuid.UUID(value) if by.endswith("id") and isinstance(value, str) else value
