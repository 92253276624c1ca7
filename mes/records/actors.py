"""Who acts, as plain values: made once at the edge (page, API, task, command) and handed down as an argument."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, device or named job that acts at one site.

    `kind` is "person", "device" or "system"; `channel` is "page", "api", "task" or "command"; `station` names the
    tablet or desk. `roles` are the names printed beside the person; authority is asked of the database at use.
    `address` is where the request of a person came from, for what is asked of others than who sits inside; it is kept nowhere.
    """

    user_id: uuid.UUID
    username: str
    full_name: str
    site_id: uuid.UUID
    kind: str = "person"
    roles: tuple[str, ...] = ()
    channel: str = "page"
    station: str = ""
    request_id: str = ""
    address: str = ""

    @property
    def role(self) -> str:
        return ", ".join(self.roles)

    def at_station(self, station: str) -> Actor:
        return replace(self, station=station)
