"""Quality control of a lot over HTTP: samples received, results entered as reported, each reviewed by a second person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from quality.demo.cast import Cast
from quality.demo.values import LotData, Reported


@dataclass
class Laboratory:
    """One lot in quality control."""

    cast: Cast
    number: str
    data: LotData
    read: set[str] = field(default_factory=set)
    """Samples with an interim reading since the last review."""

    @property
    def lot(self) -> str:
        return f"/api/v1/lots/{self.number}/"

    def receive_samples(self) -> None:
        """Take over every sample that was drawn, by its label."""
        analyst = self.cast["analyst"]
        for sample in analyst.get(f"{self.lot}samples/"):
            if sample["state"] == "drawn":
                analyst.post(f"/api/v1/samples/{sample['identifier']}/receive/", {"version": sample["version"], "scanned": sample["identifier"]})

    def lines(self) -> list[dict]:
        """Every criterion with what is known about it."""
        return self.cast["analyst"].get(f"{self.lot}results/")

    def test(self, timings: frozenset[str], *, without: frozenset[str] = frozenset(), instead: Mapping[str, str] | None = None) -> None:
        """Enter final results of these timings whose sample is here; not those named in `without`, and other values where `instead` has one."""
        received = self.received()
        for line in self.lines():
            code = line["criterion"]
            if line["result"] or line["timing"] not in timings or line["sample"] not in received or code in without or code not in self.data.results:
                continue
            other = (instead or {}).get(code)
            self.enter(line, Reported(code, other, "illustrative", "") if other else self.data.results[code])

    def readings_due(self) -> dict[str, dt.datetime]:
        """Interim readings that the demo data has and nobody entered: when each may be made, by criterion."""
        drawn = {sample["identifier"]: sample["drawn_at"] for sample in self.cast["analyst"].get(f"{self.lot}samples/")}
        found = {}
        for line in self.lines():
            reported = self.data.results.get(line["criterion"])
            if reported is not None and reported.interim is not None and not line["interim_readings"] and not line["result"] and drawn.get(line["sample"]):
                found[line["criterion"]] = dt.datetime.fromisoformat(drawn[line["sample"]]) + dt.timedelta(days=reported.interim.day or 0)
        return found

    def read_interim(self, criterion: str) -> None:
        """Enter the dated reading of a test that still runs."""
        reported = self.data.results[criterion].interim
        line = next(line for line in self.lines() if line["criterion"] == criterion)
        self.enter(line, reported, interim_day=reported.day)

    def received(self) -> set[str]:
        samples = self.cast["analyst"].get(f"{self.lot}samples/")
        return {sample["identifier"] for sample in samples if sample["state"] in ("received", "tested")} | {""}

    def late(self) -> list[dict]:
        """Criteria timed after release that have no final result, the first due in front."""
        waiting = [line for line in self.lines() if line["timing"] == "post_release" and not line["result"]]
        return sorted(waiting, key=lambda line: line["due"] or "")

    def enter_late(self, line: dict, value: str = "") -> None:
        """The final result of a criterion timed after release; another value than the lot's own where one is given."""
        reported = self.data.results[line["criterion"]]
        self.enter(line, reported if not value else Reported(reported.criterion, value, "illustrative", ""))

    def enter(self, line: dict, reported: Reported, *, interim_day: int | None = None) -> dict:
        """One result as reported."""
        body = {
            "criterion": line["criterion"], "value": reported.value, "unit": line["unit"] or "", "method_version": line["method_version"],
            "evidence": reported.evidence, "evidence_source": reported.source,
        }  # fmt: skip
        if interim_day is not None:
            body |= {"kind": "interim", "interim_day": interim_day, "unit": ""}
            self.read.add(line["sample"])
        return self.cast["analyst"].post(f"{self.lot}results/", body)

    def review(self) -> None:
        """A second person reviews every result that is not reviewed yet, one signature for a sample."""
        unreviewed = {line["sample"] for line in self.lines() if line["result"] and not line["reviewed"]}
        for identifier in sorted((unreviewed | self.read) - {""}):
            self.cast["qcreviewer"].sign(f"/api/v1/samples/{identifier}/review/")
        self.read.clear()


def due_of(line: dict) -> dt.datetime | None:
    """When a late result is due (UTC)."""
    return dt.datetime.fromisoformat(line["due"]) if line["due"] else None
