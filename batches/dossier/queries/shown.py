"""A record as text, made ready for a template: signed moments become times again, so that they are shown in the site's zone."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")


def shown(value: Any) -> Any:
    """The same structure with every moment (RFC 3339 with six decimals, as records keep it) as an aware datetime."""
    if isinstance(value, dict):
        return {key: shown(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return dt.datetime.fromisoformat(value)
    return value
