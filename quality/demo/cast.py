"""Who does what in a demo: the person of a role, and the other one who checks them."""

from __future__ import annotations

from collections.abc import Mapping

from quality.demo.client import Person

PERFORMERS = {
    "scheduler": "scheduler",
    "collection_nurse": "nurse",
    "receiving": "receiver",
    "operator": "operator",
    "qc_analyst": "analyst",
    "qc_reviewer": "qcreviewer",
    "qa_reviewer": "qareviewer2",
    "qa_release": "qp",
    "treatment_centre": "centre",
    "supervisor": "supervisor",
    "process_engineer": "engineer",
}
"""Who performs a step of a role. The QA reviewer who performs steps is another one than who reviews the record."""

SECONDS = {"scheduler": "scheduler2", "collection_nurse": "nurse2", "treatment_centre": "centre2", "qc_analyst": "qcreviewer"}
"""Who checks a role's step where it is not the second person of the floor."""
SECOND_OF_ALL = "second"


class Cast:
    """Every person of the demo with an own session, by user name."""

    def __init__(self, people: Mapping[str, Person]):
        self.people = dict(people)

    def __getitem__(self, username: str) -> Person:
        return self.people[username]

    def performer(self, role: str) -> Person:
        """Who performs steps of a role. Raises KeyError for a role that performs none."""
        return self.people[PERFORMERS[role]]

    def second(self, role: str) -> Person:
        """Who checks them."""
        return self.people[SECONDS.get(role, SECOND_OF_ALL)]

    def certifiers(self) -> list[Person]:
        """Who may certify: the one whose next one-time code comes soonest is first."""
        return sorted((self.people[name] for name in ("qp", "qp2") if name in self.people), key=lambda person: person.used_step)

    def trained(self) -> list[str]:
        """User names of everybody who works on lots and is therefore trained on their recipes."""
        working = {*PERFORMERS.values(), *SECONDS.values(), SECOND_OF_ALL, "operator2", "qareviewer", "qp2", "supervisor2"}
        return sorted(working & set(self.people))

    @property
    def calls(self) -> int:
        """How many HTTP requests were sent so far."""
        return sum(person.calls for person in self.people.values())
