"""The paper on the attacks names every attack that is there, and none that is not."""

import re
from pathlib import Path

from tests.attack.conftest import PAPER

FOLDER = Path(__file__).parent


def test_the_paper_names_every_attack_and_no_other():
    there = {
        f"{file.name}::{name}" for file in FOLDER.glob("test_*.py") for name in re.findall(r"^def (test_\w+)\([^)]*\battack\b", file.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+\.py::test_\w+)`", PAPER.read_text(encoding="utf-8")))
    assert there == named, f"Write {PAPER.name} anew: {sorted(there ^ named)}"
