"""Runs the tests of the controls without them, in processes of their own, and prints what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.sabotage.controls import Control
from tests.sabotage.plugin import WHOLE
from tests.sabotage.removing import ROOT

PAGE = ROOT / "docs" / "validation" / "sabotage.md"
AT_ONCE = 2
HEAD = """\
# What happens when a control is taken away

Printed by `python3 manage.py test --sabotage`: each control is taken away, alone, and the tests named for it, which carry the mark of one of its
requirements or stand beside its number in asvs.yaml, are run.
They pass with every control in place: that is run first. A control whose absence no test misses fails the run. The product
has no switch for any of it.

| Control | What was taken away | Requirement | Tests that failed without it |
|---|---|---|---|
"""
#: What this run set for its own servers: a child makes its own.
OWN = ("CARTULARY_TEST_TOKEN", "CARTULARY_REDIS_PREFIX", "CARTULARY_VAR", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS")


@dataclass(frozen=True)
class Outcome:
    """What came of the tests without the control."""

    control: Control
    missed: tuple[str, ...]
    """The tests that failed for want of it, each with the first line of its failure."""
    why: str = ""

    @property
    def line(self) -> str:
        tests = [f"`{line.partition(': ')[0].rpartition('/')[2]}`" for line in self.missed]
        ids = self.control.requirement.replace(" ", ", ")
        return f"| {self.control.name} | {self.control.words} | {ids} | {'<br>'.join(tests) or '**nobody**'} |"


@dataclass(frozen=True)
class Batch:
    """Controls taken away one after the other by one process, and controls whose tests it only runs whole."""

    away: tuple[Control, ...]
    whole: tuple[Control, ...] = ()


def batches(controls: Iterable[Control]) -> list[Batch]:
    """Removals in code share processes; a removal in the database stays for the whole life of one."""
    chosen = list(controls)
    in_code = sorted((each for each in chosen if not each.in_database), key=lambda each: each.tests)
    in_database = [each for each in chosen if each.in_database]
    middle = (len(in_code) + 1) // 2
    halves = [in_code[:middle], in_code[middle:]]
    shared = [Batch(tuple(half), tuple(in_database[at::2])) for at, half in enumerate(halves)]
    return [batch for batch in shared if batch.away or batch.whole] + [Batch((each,)) for each in in_database]


def run(batch: Batch) -> tuple[list[Outcome], dict[str, str]]:
    """The outcomes of a batch, and which tests fail with every control in place."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        env = {name: value for name, value in os.environ.items() if name not in OWN}
        env |= {
            "CARTULARY_NO_INSTALL": "1", "CARTULARY_SABOTAGE_TOLD": str(told),
            "CARTULARY_SABOTAGE": " ".join(each.name for each in batch.away), "CARTULARY_SABOTAGE_WHOLE": " ".join(each.name for each in batch.whole),
        }  # fmt: skip
        files = sorted({file for each in (*batch.away, *batch.whole) for file in each.files})
        words = ["-m", "pytest", *files, "-q", "--tb=short", "-p", "tests.sabotage.plugin", "-p", "no:cacheprovider"]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True)
        if not told.exists():
            return [Outcome(each, (), done.stdout[-2000:] + done.stderr[-2000:]) for each in batch.away], {}
        said = json.loads(told.read_text(encoding="utf-8"))
    outcomes = []
    for control in batch.away:
        of = said.get(control.name, {"ran": [], "missed": [], "broke": []})
        outcomes.append(Outcome(control, tuple(of["missed"]), f"{len(of['ran'])} tests ran; broke: {of['broke'] or 'none'}"))
    whole = said[WHOLE]
    return outcomes, dict(line.partition(": ")[::2] for line in whole["missed"] + whole["broke"])


def without_each(controls: Iterable[Control]) -> tuple[list[Outcome], dict[str, str]]:
    """The outcome of each control in their order, and which of the tests fail anyway and so notice nothing."""
    chosen = list(controls)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(run, batches(chosen)))
    failing = {test: why for _, found in done for test, why in found.items()}
    made = {outcome.control.name: outcome for outcomes, _ in done for outcome in outcomes}
    kept = []
    for control in chosen:
        outcome = made[control.name]
        told = tuple(line for line in outcome.missed if line.partition(": ")[0] not in failing)
        kept.append(Outcome(control, told, outcome.why))
    return kept, failing


def page(outcomes: Iterable[Outcome]) -> str:
    return HEAD + "\n".join(outcome.line for outcome in outcomes) + "\n"
