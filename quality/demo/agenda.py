"""Several lots on one calendar: whoever is due first works next, and the record clock is moved to that moment.

A lot is a generator that works and then yields the record time at which it wants to go on. Nothing waits in between, so hold times,
day numbers and due dates of every lot are what they would be if people had really waited.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections.abc import Callable, Iterator

Work = Iterator[dt.datetime]


class Agenda:
    """Works through lots in the order of their next moment."""

    def __init__(self, now: Callable[[], dt.datetime], move_to: Callable[[dt.datetime], object]):
        self.now, self.move_to = now, move_to
        self.waiting: list[tuple[dt.datetime, int, str, Work]] = []
        self.numbers = itertools.count()

    def add(self, name: str, work: Work, at: dt.datetime) -> None:
        """A lot that begins at a moment of record time."""
        heapq.heappush(self.waiting, (at, next(self.numbers), name, work))

    def run(self, *, tell: Callable[[str], None] = lambda name: None) -> None:
        """Work until every lot is where its story ends."""
        while self.waiting:
            at, _, name, work = heapq.heappop(self.waiting)
            if at > self.now():
                self.move_to(at)
            tell(name)
            wanted = next(work, None)
            if wanted is not None:
                self.add(name, work, wanted)
