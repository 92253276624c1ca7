"""The steps of a lot, worked through over HTTP as the API describes them: opened by scan, filled, signed by two people.

Nothing of a product is here: what a step needs is read from it, what is typed comes from values.py, what is scanned from labels the API names.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from quality.demo import values
from quality.demo.cast import Cast
from quality.demo.client import Person, Refused
from quality.demo.store import Store
from quality.demo.values import LotData

COUNTED = re.compile(r"_(printed|used|destroyed)$")
"""Counts of labels: typed after the labels were printed and used."""
BUSY = {"occupied_by_another_lot", "not_calibrated", "out_of_service"}
SPENT = {"material_used_up", "material_expired", "material_blocked", "material_in_quarantine"}


@dataclass
class Floor:
    """One lot on the floor."""

    cast: Cast
    store: Store
    number: str
    data: LotData
    now: Callable[[], dt.datetime]
    zone: str
    answers: dict[str, str] = field(default_factory=dict)
    """Answer of a decision step by its key, where it is not the first that goes on."""

    @property
    def lot(self) -> str:
        return f"/api/v1/lots/{self.number}/"

    def remember(self, lines: list[dict]) -> None:
        """Read what earlier work recorded, for values that are made from others: only where a story goes on."""
        for line in lines:
            if line["state"] != "waiting":
                for entry in self.cast["operator"].get(self.path(line["key"]))["entries"]:
                    self.data.recorded.setdefault(entry["parameter"], entry["value"])

    def path(self, key: str) -> str:
        return f"{self.lot}steps/{key}/"

    def steps(self) -> list[dict]:
        """Every step of the lot, in order."""
        return self.cast["operator"].get(f"{self.lot}steps/")

    def do(self, line: dict) -> None:
        """Do one step from where it stands to its last signature. Raises Refused."""
        person, path = self.cast.performer(line["performed_by"]), self.path(line["key"])
        step = person.get(path)
        if step["state"] == "waiting":
            step = self.open(person, step)
        if step["state"] == "open":
            step = self.fill(person, step)
            self.sign(person, path, step)
        if step["state"] in ("open", "performed") and step["second_person"] != "none":
            person.sign(f"{path}second/sign/", signer=self.cast.second(line["performed_by"]))

    def open(self, person: Person, step: dict) -> dict:
        """Open a step, on the scan of its container where it touches material."""
        code = step["touches_material"]
        scanned = f"CTL:C:{self.container(code)['identifier']}" if code else ""
        return person.post(f"{self.path(step['key'])}open/", {"seen": step["version"], "scanned": scanned})

    def containers(self) -> list[dict]:
        return self.cast["operator"].get(self.lot)["containers"]

    def container(self, code: str) -> dict:
        """The lot's container of that code. Raises KeyError when it is not there."""
        for container in self.containers():
            if container["code"] == code and container["state"] not in ("emptied", "discarded"):
                return container
        raise KeyError(f"lot {self.number} has no container {code}")

    # --- what a step needs --------------------------------------------------------------------------------------------

    def fill(self, person: Person, step: dict) -> dict:
        """Everything a step needs before its signature; returns the step as it stands then."""
        path, needs = self.path(step["key"]), {each["anchor"] for each in step["missing"]}
        for code in step["equipment"]:
            if f"slot-e-{code}" in needs:
                step = self.scan(person, f"{path}equipment/", {"class_code": code}, self.store.equipment(code), BUSY)
        for line in step["materials"]:
            if f"slot-m-{line['material']}" in needs:
                step = self.scan(person, f"{path}materials/", {"line": line["material"]}, self.store.material(line["material"]), SPENT)
        for line in step["files"]:
            if f"file-{line['code']}" in needs:
                step = self.attach(person, path, step, line)
        counts = [parameter for parameter in step["parameters"] if COUNTED.search(parameter["key"])]
        step = self.record(person, step, [parameter for parameter in step["parameters"] if parameter not in counts])
        if step["kind"] == "labelling":
            self.label(person, step)
        step = self.record(person, step, counts)
        for excursion in step["undecided"]:
            body = {"choice": "keep", "reason": "Read again from the device: the value stands (demo)"}
            step = person.post(f"{path}excursions/{excursion['id']}/", body)
        return step

    def scan(self, person: Person, path: str, body: dict, identifiers: list[str], try_the_next: set[str]) -> dict:
        """Scan one of several that would do: the next one where this one is refused with one of these codes."""
        refused: Refused | None = None
        for identifier in identifiers:
            try:
                return person.post(path, body | {"scanned": identifier})
            except Refused as other:
                if other.code not in try_the_next:
                    raise
                refused = other
        raise refused or KeyError(f"nothing to scan for {body}")

    def attach(self, person: Person, path: str, step: dict, line: dict) -> dict:
        """Attach a made-up raw file that says that it is made up."""
        text = f"Demo data, made up\nlot,{self.number}\nstep,{step['key']}\nfile,{line['title']}\nrecorded,{values.moment(self.now(), self.zone)}\n"
        return person.upload(f"{path}files/{line['code']}/", {}, f"{line['code']}-{self.number}.csv", text.encode(), "text/csv")

    def record(self, person: Person, step: dict, parameters: list[dict]) -> dict:
        """Record the values of the step that are not there yet, those that stand in the demo data or are required."""
        there = {each["parameter"] for each in step["entries"]}
        typed = []
        for parameter in parameters:
            key = parameter["key"]
            if key in there or parameter["type"] == "calculated" or not (parameter["required"] or key in self.data.record):
                continue
            if parameter["source"] == "equipment":
                continue
            text = values.fill(parameter, self.data, now=self.now(), zone=self.zone, day=step["day"])
            self.data.recorded[key] = text
            typed.append({"parameter": key, "value": text} | ({"again": text} if parameter["double_entry"] else {}))
        if not typed:
            return step
        told = person.post(f"{self.path(step['key'])}values/", {"values": typed})
        for each in told["values"]:
            if not each["recorded"]:
                raise Refused(422, each["code"], f"{each['parameter']}: {each['sentence']}", self.path(step["key"]))
        return told["step"]

    # --- labels -------------------------------------------------------------------------------------------------------

    def label(self, person: Person, step: dict) -> None:
        """Print and use one label for each labelled container that has none in use and is made by now."""
        lot = person.get(self.lot)
        known = {each["container"] for each in person.get(f"{self.lot}labels/") if each["state"] == "used"}
        for container in lot["containers"]:
            if container["identifier"] in known or not self.is_of(container, step):
                continue
            printed = person.post(f"{self.lot}labels/", {"container": container["identifier"]})
            on_it_now = f"CTL:D:{self.data.facts['din_plain']}" if container["kind"] == "collection_bag" else self.before(lot, step)
            person.post(
                f"/api/v1/labels/{printed['id']}/use/",
                {"seen": printed["version"], "scanned_label": f"CTL:C:{container['identifier']}", "scanned_container": on_it_now},
            )

    def is_of(self, container: dict, step: dict) -> bool:
        """Whether a container is labelled at this step: it was not there when the one of the step was opened, or is the collection bag."""
        return container["code"] != step["touches_material"] and container["state"] in ("expected", "in_use")

    def before(self, lot: dict, step: dict) -> str:
        """The code on what a container is filled from: the container the step works on."""
        found = next(each for each in lot["containers"] if each["code"] == step["touches_material"])
        return f"CTL:C:{found['identifier']}"

    # --- signatures ---------------------------------------------------------------------------------------------------

    def sign(self, person: Person, path: str, step: dict) -> None:
        """Sign the step as performed; a decision step with its answer."""
        if not step["options"]:
            person.sign(f"{path}sign/")
            return
        going_on = next(option["code"] for option in step["options"] if option["consequence"] == "continue")
        answer = self.answers.get(step["key"], going_on)
        person.sign(f"{path}decide/{answer}/sign/", query={"reason": "As the values of this step show (demo)"})
