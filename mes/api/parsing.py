"""JSON as it was typed: numbers with a fraction stay exact decimals, a name given twice is refused."""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer


def _no_constant(word: str):
    raise ValueError(f"{word} is no number of JSON")


#: Escapes that may stand for what no record can hold: half a surrogate pair, or the character zero.
_ESCAPED = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


def _check_can_be_kept(found) -> None:
    if isinstance(found, dict):
        for name, value in found.items():
            _check_can_be_kept(name)
            _check_can_be_kept(value)
    elif isinstance(found, list):
        for value in found:
            _check_can_be_kept(value)
    elif isinstance(found, str) and ("\x00" in found or any("\ud800" <= letter <= "\udfff" for letter in found)):
        raise ValueError("a text holds a character that cannot be kept")


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
            found = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
            if _ESCAPED.search(text):
                _check_can_be_kept(found)
            return found
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is no JSON that can be read: {error}.", code="unreadable_body") from error
