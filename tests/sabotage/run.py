"""Runs the tests of a control without it, in a process of its own, and prints what came of it."""

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
from tests.sabotage.removing import ROOT

PAGE = ROOT / "docs" / "validation" / "sabotage.md"
AT_ONCE = 2
HEAD = """\
# What happens when a control is taken away

Printed by `python3 manage.py test --sabotage`: each control is taken away, alone, in a test process of its own, and the tests that carry the
mark of its requirement run until one of them fails. A control whose absence no test misses fails the run. The product has no switch for any of it.

| Control | What was taken away | Requirement | Missed by |
|---|---|---|---|
"""
#: What this run set for its own servers: a child makes its own.
OWN = ("CARTULARY_TEST_TOKEN", "CARTULARY_REDIS_PREFIX", "CARTULARY_VAR", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS")


@dataclass(frozen=True)
class Outcome:
    """What came of a run without the control."""

    control: Control
    noticed: str
    why: str

    @property
    def line(self) -> str:
        test = self.noticed.rpartition("/")[2].partition("[")[0]
        return f"| {self.control.name} | {self.control.words} | {self.control.requirement} | {f'`{test}`' if test else '**nobody**'} |"


def without(control: Control) -> Outcome:
    """Run the control's tests without it; the first that fails has noticed."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        env = {name: value for name, value in os.environ.items() if name not in OWN}
        env |= {"CARTULARY_NO_INSTALL": "1", "CARTULARY_SABOTAGE": control.name, "CARTULARY_SABOTAGE_TOLD": str(told)}
        words = ["-m", "pytest", *control.files.split(), "-q", "-p", "tests.sabotage.plugin", "-p", "no:cacheprovider"]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True)
        if not told.exists():
            return Outcome(control, "", done.stdout[-2000:] + done.stderr[-2000:])
        said = json.loads(told.read_text(encoding="utf-8"))
    return Outcome(control, said["noticed"], f"{said['ran']} tests ran; broke: {said['broke'] or 'none'}\n{done.stdout[-1500:]}")


def without_each(controls: Iterable[Control]) -> list[Outcome]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(without, controls))


def page(outcomes: Iterable[Outcome]) -> str:
    return HEAD + "\n".join(outcome.line for outcome in outcomes) + "\n"
