"""Quality judges a lot over HTTP: deviations answered, exceptions decided, the record reviewed, the lot certified, dispatched, used."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quality.demo.cast import Cast
from quality.demo.client import Person, Refused
from quality.demo.store import everything

WAIT_SECONDS = 120
"""How long the background may take to classify a deviation or to draw a PDF."""


class TooSlow(RuntimeError):
    """The background did not do its part in time: the worker does not run, or is overloaded."""


@dataclass
class Judging:
    """One lot before quality."""

    cast: Cast
    number: str

    @property
    def lot(self) -> str:
        return f"/api/v1/lots/{self.number}/"

    def state(self) -> str:
        return self.cast["qareviewer"].get(self.lot)["state"]

    # --- alerts and deviations ----------------------------------------------------------------------------------------

    def acknowledge_alerts(self) -> int:
        """Take note of every alert of this lot that waits; returns how many."""
        person, found = self.cast["supervisor"], 0
        for alert in person.get("/api/v1/alerts/", all=1):
            if alert["lot"] == self.number and alert["state"] == "raised":
                person.post(f"/api/v1/alerts/{alert['id']}/acknowledge/", {"version": alert["version"]})
                found += 1
        return found

    def deviations(self) -> list[dict]:
        return everything(self.cast["qareviewer"], "/api/v1/deviations/", lot=self.number)

    def answer_deviations(self, *, impact: str = "acceptable", reason: str = "The value lies near the limit; cells and product are not affected (demo)") -> int:
        """Investigate, assess by signature and, unless the impact is not acceptable, close every open deviation; returns how many."""
        answered = 0
        for listed in self.deviations():
            if listed["state"] == "closed":
                continue
            deviation = self.wait_for(lambda number=listed["number"]: self._classified(number), f"classifying {listed['number']}")
            path = f"/api/v1/deviations/{deviation['number']}/"
            if not deviation["investigation"]:
                text = "The device's own log and the neighbouring values were read; no other lot shares the cause (demo)."
                deviation = self.cast["supervisor"].post(f"{path}investigate/", {"version": deviation["version"], "text": text})
            if deviation["state"] != "assessed":
                self.cast["qareviewer"].sign(f"{path}assess/", query={"impact": impact, "reason": reason})
            if impact != "not_acceptable":
                query = {"closed_as": "investigated", "reason": "Investigated and assessed, nothing is left to do (demo)"}
                self.cast["qareviewer"].sign(f"{path}close/", query=query)
            answered += 1
        return answered

    def _classified(self, number: str) -> dict | None:
        found = self.cast["qareviewer"].get(f"/api/v1/deviations/{number}/")
        return found if found["state"] != "open" else None

    # --- review -------------------------------------------------------------------------------------------------------

    def decide_exceptions(self, *, but: int = 0) -> None:
        """Decide about every exception that is open, but for so many at the end."""
        person = self.cast["qareviewer"]
        shown = person.get(f"{self.lot}review/")
        waiting = [each for each in shown["exceptions"] if not each["decision"]]
        for each in waiting[: len(waiting) - but]:
            why = "the deviation answers it" if each["deviation"] else "the record around it explains it"
            comment = f"Read with its step and its neighbours; {why} (demo)"
            person.post(f"{self.lot}review/decisions/", {"exception": each["exception"], "decision": "justified", "comment": comment})

    def review(self) -> None:
        """Open the review, decide every exception and sign; again where later entries opened it."""
        person = self.cast["qareviewer"]
        for _ in range(3):
            shown = person.get(f"{self.lot}review/")
            if shown["state"] == "not open":
                person.post(f"{self.lot}review/")
            elif shown["current"]:
                return
            self.decide_exceptions()
            person.sign(f"{self.lot}review/sign/")
        if not person.get(f"{self.lot}review/")["current"]:
            raise TooSlow(f"The review of {self.number} is opened again as soon as it is signed.")

    # --- decisions ----------------------------------------------------------------------------------------------------

    def gate(self, stage: str = "") -> dict:
        """What still blocks the release."""
        return self.cast["qareviewer"].get(f"{self.lot}gate/", stage=stage)

    def certify(self, stage: str) -> None:
        """Certify in "stage_1" or "final". Raises Refused with the lines that block."""
        if self.cast["qareviewer"].get(f"{self.lot}review/")["current"] is False:
            self.review()
        person = self.cast.certifiers()[0]
        person.sign(f"{self.lot}certify/", query={"stage": stage})

    def reject(self, reason: str) -> None:
        self.cast.certifiers()[0].sign(f"{self.lot}reject/", reason=reason)

    # --- the product --------------------------------------------------------------------------------------------------

    def final_bags(self) -> list[dict]:
        return [each for each in self.cast["qareviewer"].get(self.lot)["containers"] if each["kind"] == "final_bag"]

    def dispatch(self) -> None:
        """Hand each final container over for transport."""
        for bag in self.final_bags():
            if bag["state"] == "in_use":
                query = {
                    "scanned": f"CTL:C:{bag['identifier']}", "from_place": "Demo site", "to_place": "Demo treatment centre", "carrier": "Demo courier",
                    "seal": f"SEAL-{self.number}-2", "logger": f"LOG-{self.number}-2",
                }  # fmt: skip
                self.cast["supervisor"].sign(f"{self.lot}dispatch/", query=query)

    def arrive(self) -> None:
        """The treatment centre takes each container in."""
        for bag in self.final_bags():
            if bag["state"] == "dispatched":
                query = {
                    "scanned": f"CTL:C:{bag['identifier']}", "from_place": "Demo courier", "to_place": "Demo treatment centre",
                    "temperature_min": "3.8 °C", "temperature_max": "6.1 °C",
                }  # fmt: skip
                self.cast["centre"].sign(f"{self.lot}hand-overs/at_centre/sign/", query=query)

    def infuse(self, now: dt.datetime, volume: str) -> None:
        """Two people check the identity and record the infusion of each container."""
        first, second, coi = self.cast["centre"], self.cast["centre2"], self.cast["centre"].get(self.lot)["coi"]
        for bag in self.final_bags():
            if bag["state"] == "received":
                facts = {
                    "scanned": f"CTL:C:{bag['identifier']}", "coi": f"CTL:T:{coi}", "infused": "true", "started_at": now.isoformat(),
                    "ended_at": now.isoformat(), "volume": volume,
                }  # fmt: skip
                body = {
                    "intent": first.get(f"{self.lot}use/first/", **facts)["intent"], "username": first.username, "secret": first.pin,
                    "second_intent": second.get(f"{self.lot}use/second/", **facts)["intent"], "second_username": second.username, "second_secret": second.pin,
                }  # fmt: skip
                first.post(f"{self.lot}use/", facts | body)

    # --- papers -------------------------------------------------------------------------------------------------------

    def certificates(self, at_least: int) -> list[dict]:
        """The certificates of the lot, once the background has drawn so many."""
        person = self.cast["qp"]

        def drawn() -> list[dict] | None:
            found = person.get(f"{self.lot}certificates/")
            return found if len(found) >= at_least else None

        return self.wait_for(drawn, f"drawing the certificates of {self.number}")

    def keep(self, person: Person, path: str, into: Path) -> Path:
        """Save what an address answers, byte for byte."""
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(person.get_bytes(path).content)
        return into

    def batch_record(self, person: Person, into: Path) -> Path:
        """Ask for the batch record of everything executed as PDF, and save it once the background has drawn it."""
        papers = f"{self.lot}record/papers/"
        before = len(person.post(papers))

        def drawn() -> Path | None:
            found = person.get(papers)
            return self.keep(person, f"{papers}{found[0]['number']}/pdf/", into) if len(found) > before else None

        return self.wait_for(drawn, f"drawing the batch record of {self.number}")

    def wait_for(self, look: Callable, what: str):
        """What `look` returns, once it is not None. Raises TooSlow."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            found = look()
            if found is not None:
                return found
            time.sleep(0.25)
        raise TooSlow(f"The background did not finish {what} within {WAIT_SECONDS} s. Look at var/logs/worker.log.")


def blocked_by(refused: Refused) -> list[str]:
    """Codes of the gate's lines that a refusal names."""
    body = refused.body if isinstance(refused.body, dict) else {}
    return list(body.get("lines", ()))
