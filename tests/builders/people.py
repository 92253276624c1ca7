"""Sites and people for tests, made through the same services as in use."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from mes.keys import uuid7
from mes.people import services, setup
from mes.people.models import Role, Site, User
from mes.records.actors import Actor
from tests.builders.signing import enable_signing

PASSWORD = "correct horse battery 7"
PIN = "482913"

_numbers = itertools.count(1)


@dataclass
class Place:
    """A site with the actor that set it up; `person()` enrols people with rights there."""

    site: Site
    setup: Actor
    people: dict[str, User] = field(default_factory=dict)

    def role(self, permissions: list[str], name: str = "") -> Role:
        number = next(_numbers)
        return services.define_role(by=self.setup, code=f"r{number}", name=name or f"Role {number}", permissions=[str(p) for p in permissions])

    def person(self, username: str, permissions: list[str] | None = None, *, role: str = "", secrets: bool = False, signs: bool = True, **more) -> Actor:
        """Enrol somebody who holds the permissions here. With `secrets` they have PASSWORD and PIN, and unless `signs` is False may sign."""
        user = services.enrol_person(by=self.setup, username=username, full_name=more.pop("full_name", username.title()), **more)
        self.people[username] = user
        roles = ()
        if permissions:
            held = self.role(permissions, role)
            services.grant_role(by=self.setup, user=user, role=held)
            roles = (held.name,)
        actor = Actor(user.pk, user.username, user.full_name, self.site.pk, user.kind, roles, station="desk-1")
        if secrets:
            services.set_password(by=actor, user_id=user.pk, new=PASSWORD)
            services.set_pin(by=actor, user_id=user.pk, pin=PIN)
            if signs:
                enable_signing(self.setup, actor, PASSWORD)
        return actor

    def device(self, username: str, permissions: list[str] | None = None) -> tuple[Actor, str]:
        """A device with a token; returns its actor and the token."""
        actor = self.person(username, permissions, kind=User.DEVICE)
        _, token = services.issue_device_token(by=self.setup, user_id=actor.user_id, equipment_id=uuid7())
        return actor, token


def open_place(code: str = "", *, jurisdiction: str = "EU", decimal_sign: str = ".") -> Place:
    """A new site with its installation actor and its background job."""
    code = code or f"T{next(_numbers)}"
    site, by = setup.open_first_site(
        code=code,
        name=f"Test site {code}",
        kind="point_of_care",
        time_zone="Europe/Berlin",
        jurisdiction=jurisdiction,
        demo=True,
        decimal_sign=decimal_sign,
        roles={},
    )
    return Place(site, by)
