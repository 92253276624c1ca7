"""The people of a demo site: one per role, made up and named as such, with secrets made at the first start.

The secrets lie in var/demo_people.json (readable by its owner only) and are printed by the demo. Nothing of this runs
outside a demo deployment.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.conf import settings

from mes.errors import NotAllowed
from mes.people import services
from mes.people.models import Role, Site, User
from mes.people.setup import open_first_site
from mes.records.actors import Actor
from quality.roles import ROLES

SITE_CODE = "DEMO"


@dataclass(frozen=True)
class DemoPerson:
    """A demo account: user name, printed name, role codes and the secrets it signs in and signs with."""

    username: str
    full_name: str
    roles: tuple[str, ...]
    password: str = ""
    pin: str = ""
    badge: str = ""
    totp: str = ""
    """The secret of the authenticator in base32, once the person has enrolled one: a demo shows its codes."""


CAST: tuple[DemoPerson, ...] = (
    DemoPerson("scheduler", "Demo Scheduler", ("scheduler",)),
    DemoPerson("scheduler2", "Demo Scheduler Two", ("scheduler", "second_person")),
    DemoPerson("nurse", "Demo Collection Nurse", ("collection_nurse",)),
    DemoPerson("nurse2", "Demo Collection Nurse Two", ("collection_nurse", "second_person")),
    DemoPerson("receiver", "Demo Receiving Operator", ("receiving",)),
    DemoPerson("operator", "Demo Operator", ("operator",)),
    DemoPerson("operator2", "Demo Operator Two", ("operator",)),
    DemoPerson("second", "Demo Second Person", ("second_person",)),
    DemoPerson("analyst", "Demo QC Analyst", ("qc_analyst",)),
    DemoPerson("qcreviewer", "Demo QC Reviewer", ("qc_reviewer",)),
    DemoPerson("qareviewer", "Demo QA Reviewer", ("qa_reviewer",)),
    DemoPerson("qareviewer2", "Demo QA Reviewer Two", ("qa_reviewer",)),
    DemoPerson("qp", "Demo Qualified Person", ("qa_release",)),
    DemoPerson("qp2", "Demo Qualified Person Two", ("qa_release",)),
    DemoPerson("centre", "Demo Treatment Centre", ("treatment_centre",)),
    DemoPerson("centre2", "Demo Treatment Centre Two", ("treatment_centre",)),
    DemoPerson("engineer", "Demo Process Engineer", ("process_engineer",)),
    DemoPerson("supervisor", "Demo Supervisor", ("supervisor",)),
    DemoPerson("supervisor2", "Demo Supervisor Two", ("supervisor",)),
    DemoPerson("admin", "Demo Administrator", ("administrator",)),
)


def people_file() -> Path:
    return Path(settings.VAR_FOLDER) / "demo_people.json"


def known_people() -> dict[str, DemoPerson]:
    """The demo's people with their secrets, by user name; empty before the first start."""
    if not people_file().exists():
        return {}
    return {p["username"]: DemoPerson(**{**p, "roles": tuple(p["roles"])}) for p in json.loads(people_file().read_text())}


def remember_authenticator(username: str, secret: str) -> None:
    """Keep the secret of a person's authenticator beside the other secrets, so that a later start can sign for them."""
    people = known_people()
    people[username] = replace(people[username], totp=secret)
    _keep(people)


def zone() -> str:
    """The time zone of the demo's site."""
    return Site.objects.values_list("time_zone", flat=True).get(code=SITE_CODE)


def _refuse_outside_demo() -> None:
    if settings.CARTULARY_MODE not in {"demo", "test"}:
        raise NotAllowed("demo_only", "Demo people exist in a demo deployment only.")


def _strong_pin() -> str:
    while True:
        pin = f"{secrets.randbelow(10**6):06d}"
        if len(set(pin)) > 2 and pin not in "01234567890123456789" and pin not in "98765432109876543210":
            return pin


def open_demo_site() -> tuple[Site, dict[str, DemoPerson]]:
    """Open the demo site with one account per role; a second call changes nothing. Raises NotAllowed outside a demo."""
    _refuse_outside_demo()
    site, by = open_first_site(
        code=SITE_CODE, name="Demo site (made-up data)", kind="point_of_care", time_zone="Europe/Berlin", jurisdiction="EU", demo=True, roles=ROLES
    )
    people = known_people()
    for wanted in CAST:
        if User.objects.filter(username=wanted.username).exists():
            continue
        person = DemoPerson(
            wanted.username, wanted.full_name, wanted.roles, f"demo-{secrets.token_urlsafe(9)}", _strong_pin(), f"CTL:B:{wanted.username.upper()}"
        )
        _enrol(by, site, person)
        people[person.username] = person
        _keep(people)
    return site, people


def _enrol(by: Actor, site: Site, person: DemoPerson) -> None:
    user = services.enrol_person(by=by, username=person.username, full_name=person.full_name, email=f"{person.username}@demo.invalid", badge=person.badge)
    for code in person.roles:
        services.grant_role(by=by, user=user, role=Role.objects.get(site_id=site.pk, code=code))
    services.set_password(by=by, user_id=user.pk, new=person.password)
    services.set_pin(by=by, user_id=user.pk, pin=person.pin)


def _keep(people: dict[str, DemoPerson]) -> None:
    path = people_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump([asdict(p) for p in people.values()], file, indent=1)
