"""A site with its roles and staff, and browsers in which they signed in, for tests of pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.test import Client

from mes.people import services, setup, totp
from mes.people.models import Grant, Role, SecondFactor, Site, User
from mes.people.second_factor import PROVEN
from mes.records.actors import Actor
from tests.builders.signing import enable_signing

PASSWORD = "correct-horse-battery-9"
PIN = "482915"

ROLES: Mapping[str, tuple[str, list[str]]] = {
    "operator": (
        "Operator",
        ["batches.read_lots", "batches.record_values", "batches.sign_as_second_person", "batches.hold_lot", "quality.review_results"],
    ),
    "qa_release": ("Qualified Person", ["batches.read_lots", "quality.certify_lot", "mes.read_audit"]),
    "supervisor": ("Supervisor", ["batches.read_lots", "mes.record_training", "mes.read_audit"]),
    "administrator": ("Administrator", ["mes.manage_people", "mes.unlock_people"]),
    "equipment": ("Equipment", ["batches.post_readings"]),
}


@dataclass(frozen=True)
class Staffed:
    """A site and the installation's actor at it."""

    site: Site
    setup: Actor

    def person(
        self, username: str, *roles: str, full_name: str = "", password: str = PASSWORD, pin: str = PIN, badge: str = "", kind: str = User.PERSON,
        signs: bool = True,
    ) -> User:
        """Somebody enrolled with roles and secrets, who may sign unless `signs` is False."""
        name = full_name or username.replace(".", " ").title()
        user = setup.enrol(by=self.setup, username=username, full_name=name, roles=list(roles), badge=badge, kind=kind)
        if password:
            user = services.set_password(by=self.setup, user_id=user.pk, new=password)
        if pin:
            user = services.set_pin(by=self.setup, user_id=user.pk, pin=pin)
        if password and signs and kind == User.PERSON:
            enable_signing(self.setup, self.actor(user), password)
        return user

    def actor(self, user: User, *, station: str = "desk-1", channel: str = "page") -> Actor:
        """The user as an actor at this site."""
        names = tuple(Role.objects.filter(grants__user=user, grants__ends_at=None).values_list("name", flat=True))
        return Actor(user.pk, user.username, user.full_name, self.site.pk, kind=user.kind, roles=names, channel=channel, station=station)

    def move(self, user: User, role: str) -> None:
        """Ends every role of this person and gives another: what nobody holds together may be held one after the other."""
        for held in Grant.objects.filter(user=user, ends_at=None):
            services.end_grant(by=self.setup, grant_id=held.pk, seen=held.version, reason="Moves to another function")
        services.grant_role(by=self.setup, user=user, role=self.role(role))

    def witness(self) -> Actor:
        """A supervisor who checks who enrols an authenticator."""
        name = f"witness.{self.site.code.lower()}"
        return self.actor(User.objects.filter(username=name).first() or self.person(name, "supervisor"))

    def role(self, code: str) -> Role:
        return Role.objects.get(site=self.site, code=code)


def open_site(code: str = "UTR", name: str = "Utrecht", *, zone: str = "Europe/Amsterdam", roles=ROLES) -> Staffed:
    """A demo site with its roles."""
    site, by = setup.open_first_site(code=code, name=name, kind="point_of_care", time_zone=zone, jurisdiction="EU", demo=True, roles=roles)
    return Staffed(site, by)


def signed_in(user: User, *, password: str = PASSWORD, client: Client | None = None) -> Client:
    """A browser in which this person signed in through the page."""
    client = client or Client()
    answer = client.post("/sign-in/", {"username": user.username, "password": password})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def outside(client: Client, settings) -> Client:
    """The browser moves out of the controlled networks, where its own person proved a second factor."""
    settings.SECOND_FACTOR_AT_SIGN_IN, settings.CONTROLLED_NETWORKS = True, []
    session = client.session
    session[PROVEN] = True
    session.save()
    return client


SOON_OVER = 2.0
"""Seconds before the end of a code's half minute in which no test begins with the code before it."""


def enrol_authenticator(place: Staffed, user: User, *, steps_ago: int = 1) -> bytes:
    """Enrol and confirm an authenticator before a supervisor; returns its secret. The confirming code is of an earlier step."""
    by = place.actor(user)
    factor = services.begin_second_factor(by=by, user_id=user.pk)
    secret = totp.unseal(SecondFactor.objects.get(pk=factor.pk).secret)
    left = totp.STEP_SECONDS - time.time() % totp.STEP_SECONDS
    if steps_ago and left < SOON_OVER:
        time.sleep(left)  # the earlier code would be too old by the time it is looked at
    services.confirm_second_factor(by=by, user_id=user.pk, code=totp.code_at(secret, totp.step_now() - steps_ago), checked_by=place.witness())
    return secret
