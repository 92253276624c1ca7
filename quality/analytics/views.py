"""The page of the periodic product review."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from mes.clock import record_now
from mes.errors import UnreadableInput
from mes.permissions import Permission as AuditPermission
from mes.web.pages import Page
from quality.analytics import queries
from quality.permissions import Permission

RIGHTS = (Permission.REVIEW_LOT, Permission.CERTIFY_LOT, AuditPermission.READ_AUDIT)


def period_of(first: str, last: str, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """The first day and the day after the last one, in the site's zone. Raises UnreadableInput("period_unreadable")."""
    try:
        since, until = dt.date.fromisoformat(first.strip()), dt.date.fromisoformat(last.strip()) + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        raise UnreadableInput("period_unreadable", "A period has a first and a last day. Write them like 2026-03-02.", field="first") from None
    if until <= since:
        raise UnreadableInput("period_unreadable", "The last day lies before the first one. Look at the two days.", field="last")
    since, until = (dt.datetime.combine(day, dt.time(), ZoneInfo(zone)) for day in (since, until))
    return since, until


class ProductReviewPage(Page):
    """`/product-review/`: a product and a period, and every figure with the lots behind it. It reads only."""

    permission = RIGHTS
    template_name = "quality/analytics/product_review.html"
    title = "Product review"
    http_method_names = ("get", "head", "options")

    def read(self) -> dict:
        asked = {name: self.request.GET.get(name, "") for name in ("product", "first", "last")}
        shown = {"asked": asked, "products": queries.products(self.by.site_id), "review": None, "problem": ""}
        if not all(asked.values()):
            return shown
        try:
            since, until = period_of(asked["first"], asked["last"], self.request.site.time_zone)
        except UnreadableInput as unread:
            return shown | {"problem": unread.sentence}
        return shown | {"review": queries.product_review(self.by.site_id, asked["product"], since, until), "is_over": until <= record_now()}
