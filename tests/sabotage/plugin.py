"""The pytest plugin of the sabotage run: takes controls away, one after the other, and runs the tests named for each without it.

Loaded by `-p tests.sabotage.plugin` alone. CARTULARY_SABOTAGE names the controls to take away in this process, CARTULARY_SABOTAGE_WHOLE those whose
tests are only run with every control in place, CARTULARY_SABOTAGE_TOLD the file to tell the outcome in. The product reads none of them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

#: The test met a hole instead of a missing control: the removal was clumsy and shows nothing.
HOLES = (TypeError, AttributeError, NameError, ImportError, KeyError)
#: Under this name stands what failed with every control in place.
WHOLE = "whole"


class Saboteur:
    """What is run, in which order, and what came of it."""

    def __init__(self) -> None:
        from tests.sabotage.controls import CONTROLS

        self.away = [control for control in CONTROLS if control.name in os.environ.get("CARTULARY_SABOTAGE", "").split()]
        self.whole = [control for control in CONTROLS if control.name in os.environ.get("CARTULARY_SABOTAGE_WHOLE", "").split()]
        self.told = {control.name: {"ran": [], "missed": [], "broke": []} for control in self.away} | {WHOLE: {"ran": [], "missed": [], "broke": []}}
        self.now = WHOLE

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        wanted = [item for item in items if any(control.names(item) for control in (*self.away, *self.whole))]
        items[:] = wanted

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            raise session.Interrupted("errors while collecting")
        in_database = bool(self.away) and all(control.in_database for control in self.away)
        rounds = [] if in_database else [(None, session.items)]
        rounds += [(control, [_anew(item) for item in session.items if control.names(item)]) for control in self.away]
        for at, (control, items) in enumerate(rounds):
            after = next((each for _, later in rounds[at + 1 :] for each in later), None)
            if control is None:
                self.round(WHOLE, items, after)
            else:
                self.without(control, items, after)
        return True

    def without(self, control, items: list[pytest.Item], after: pytest.Item | None) -> None:
        away = control.away()
        try:
            away.__enter__()
        except (LookupError, AttributeError, AssertionError) as gone:
            self.told[control.name]["broke"].append(f"nothing was taken away, there is no such thing any more: {gone!r}")
            return
        try:
            self.round(control.name, items, after)
        finally:
            away.__exit__(None, None, None)

    def round(self, name: str, items: list[pytest.Item], after: pytest.Item | None) -> None:
        self.now = name
        for item, following in zip(items, [*items[1:], after], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> None:
        test, told = f"{item.location[0]}::{item.originalname}", self.told[self.now]
        if call.when == "call" and test not in told["ran"]:
            told["ran"].append(test)
        if call.excinfo is None:
            return
        kind = "missed" if call.when == "call" and not call.excinfo.errisinstance(HOLES) else "broke"
        line = f"{test}: {call.excinfo.exconly().strip().splitlines()[0][:200]}"
        if not any(each.startswith(f"{test}: ") for each in told[kind]):
            told[kind].append(line)

    def pytest_unconfigure(self) -> None:
        Path(os.environ["CARTULARY_SABOTAGE_TOLD"]).write_text(json.dumps(self.told), encoding="utf-8")


def _anew(item: pytest.Function) -> pytest.Function:
    """The same test as an item of its own: an item is run once."""
    params = {"callspec": item.callspec} if hasattr(item, "callspec") else {}
    made = pytest.Function.from_parent(item.parent, name=item.name, fixtureinfo=item._fixtureinfo, originalname=item.originalname, **params)
    made._nodeid = item.nodeid
    return made


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Saboteur(), "saboteur")
