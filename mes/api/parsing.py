"""JSON as it was typed: numbers with a fraction stay exact decimals, a name given twice is refused."""

from __future__ import annotations

import codecs
import json
from decimal import Decimal

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer


def _no_constant(word: str):
    raise ValueError(f"{word} is no number of JSON")


def _once(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return found


class ExactJSONParser(BaseParser):
    """Reads JSON without binary floats: 1.10 arrives as Decimal("1.10"), with its trailing zero."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream, media_type=None, parser_context=None):
        """Raises ParseError with the place that cannot be read."""
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            text = codecs.getreader(encoding)(stream).read()
            return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is no JSON that can be read: {error}.", code="unreadable_body") from error
