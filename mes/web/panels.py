"""What the apps hang into the common pages: entries of the navigation and panels of the first page.

Registered by name in AppConfig.ready, so that mes shows what stands above it without importing it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.urls import NoReverseMatch, reverse

from mes.records.actors import Actor

PLACES = (("bar", 4), ("wide", 6), ("widest", 9))
"""How many lines of the navigation stand in the bar: always, from 1200 px, from 1600 px (static/css/desk.css)."""

Rights = StrEnum | Collection[StrEnum] | None
"""One permission, several of which one is enough, or None for everybody who is signed in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation or a panel of the first page."""

    label: str
    url_name: str
    permissions: frozenset[str]
    order: int
    place: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)

    def url_for(self, arguments: dict) -> str:
        """The panel's address for the thing whose page it stands on."""
        return reverse(self.url_name, kwargs=arguments or None)

    def is_for(self, rights: Collection[str]) -> bool:
        return not self.permissions or not self.permissions.isdisjoint(rights)


_nav: dict[str, Entry] = {}
_panels: dict[str, Entry] = {}
_greetings: list[Callable[..., list[str]]] = []


def register_nav(label: str, url_name: str, permission: Rights = None, order: int = 100) -> None:
    """Show a line in the top bar to whoever holds one of the permissions."""
    _nav[url_name] = Entry(label, url_name, _names(permission), order)


def register_panel(url_name: str, permission: Rights = None, order: int = 100, label: str = "", place: str = "home") -> None:
    """Show a panel to whoever holds one of the permissions. The address answers with a fragment.

    `place` "home" is the first page; "lot" the page of a lot, whose panels take its `number` in their address; "mark" the head of every page
    about a lot, for what has to be seen there while it lasts; "own" one's own page.
    """
    _panels[f"{place} {url_name}"] = Entry(label, url_name, _names(permission), order, place)


def register_greeting(call: Callable[..., list[str]]) -> None:
    """`call(by=)` answers with sentences that a person reads after signing in on a page; it is asked before that sign-in is written down."""
    if call not in _greetings:
        _greetings.append(call)


def greetings(by: Actor) -> list[str]:
    """What the apps have to say to who signs in now."""
    return [sentence for call in _greetings for sentence in call(by=by)]


def nav_for(rights: Collection[str], path: str) -> list[dict]:
    """The lines of the top bar, in order: [{label, url, current, place}]."""
    lines = [{"label": entry.label, "url": entry.url} for entry in _shown(_nav, rights)]
    at = max((line["url"] for line in lines if path.startswith(line["url"]) and line["url"] != "/"), key=len, default=None)
    return placed([line | {"current": line["url"] == at} for line in lines])


def placed(lines: list[dict]) -> list[dict]:
    """The same lines with their place: `bar` at every width, `wide` and `widest` beside it where there is room, else under More."""
    return [line | {"place": next((place for place, upto in PLACES if at < upto), "more")} for at, line in enumerate(lines)]


def panels_for(rights: Collection[str], place: str = "home", **arguments) -> list[dict]:
    """The panels of a place, in order: [{label, url}]. `arguments` name the thing that a page is about."""
    return [{"label": each.label, "url": each.url_for(arguments)} for each in _shown(_panels, rights) if each.place == place]


def _shown(entries: dict[str, Entry], rights: Collection[str]) -> list[Entry]:
    return [entry for entry in sorted(entries.values(), key=lambda e: (e.order, e.label)) if entry.is_for(rights)]


def _names(permission: Rights) -> frozenset[str]:
    if permission is None:
        return frozenset()
    if isinstance(permission, str):
        return frozenset({str(permission)})
    return frozenset(str(one) for one in permission)


def unknown_names() -> Iterable[str]:
    """Registered names that lead nowhere; the system check of mes.web names them."""
    for entry in (*_nav.values(), *(each for each in _panels.values() if each.place == "home")):
        try:
            reverse(entry.url_name)
        except NoReverseMatch:
            yield entry.url_name
