"""The pytest plugin of the sabotage run: takes one control away and runs the tests of its requirement until one fails.

Loaded by `-p tests.sabotage.plugin` alone; CARTULARY_SABOTAGE names the control, CARTULARY_SABOTAGE_TOLD the file to tell the outcome in. The
product reads neither.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

_told: dict = {"noticed": "", "broke": "", "ran": 0}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    from tests.sabotage.controls import CONTROLS

    control = next(control for control in CONTROLS if control.name == os.environ["CARTULARY_SABOTAGE"])
    items[:] = [item for item in items if any(mark.args == (control.requirement,) for mark in item.iter_markers("req"))]
    config.control_away = control.away()
    config.control_away.__enter__()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _told["ran"] += 1
    if report.failed:
        kind = "noticed" if report.when == "call" else "broke"
        _told[kind] = _told[kind] or report.nodeid.partition("@")[0]


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> None:
    if call.when == "call" and call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        item.session.shouldstop = "the control was missed"


def pytest_unconfigure(config: pytest.Config) -> None:
    away = getattr(config, "control_away", None)
    if away is not None:
        away.__exit__(None, None, None)
        Path(os.environ["CARTULARY_SABOTAGE_TOLD"]).write_text(json.dumps(_told), encoding="utf-8")
