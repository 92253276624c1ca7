"""The guide of signing names every meaning with its words, under the proof that it asks for."""

import re
from pathlib import Path

import pytest

from mes.signatures.meanings import MEANINGS

PAGE = Path(__file__).resolve().parents[2] / "docs/guide/signing.md"
HEADS = {"floor": "On the floor (PIN)", "desk": "At a desk (password)", "certify": "Certifying (password, and one-time code or passkey)"}


def rows() -> dict[str, list[str]]:
    """The first cells of each table, by its first head."""
    found: dict[str, list[str]] = {}
    for table in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        head, _, *lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
        found[head[0]] = [line[0] for line in lines]
    return found


@pytest.mark.req("SIG-07", case="positive")
def test_every_meaning_stands_in_the_guide_and_no_other():
    tables = rows()
    for proof, head in HEADS.items():
        assert sorted(tables[head]) == sorted(meaning.text for meaning in MEANINGS.values() if meaning.proof == proof), head
