"""What the analytics hang into the common pages at start."""

from mes.web.panels import register_nav
from quality.analytics.views import RIGHTS


def register() -> None:
    register_nav("Product review", "quality:analytics:product_review", RIGHTS, order=80)
