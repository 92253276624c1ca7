"""Whether the code in a field came from a scanner or from fingers."""

from __future__ import annotations

from batches.lots.identifiers import as_typed

MARK = "by_scanner"
"""The hidden field in which static/js/scan.js names the fields a scanner filled; templates/batches/lots/_by_scanner.html draws it."""


def code_in(given, name: str, text: str | None = None) -> str:
    """The code of a posted field: as it stands where a scanner put it there, else as typed by hand. `text` is its cleaned value. COI-03.

    The mark is the word of the station's own page: it keeps honest hands from passing off typing as a scan, and stops nobody who forges requests.
    """
    code = given.get(name, "") if text is None else text
    return code if name in given.get(MARK, "").split() else as_typed(code)
