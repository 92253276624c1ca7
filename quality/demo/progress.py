"""What a command says while it works: one line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

PLAIN_SECONDS = 5.0
"""Elsewhere than on a terminal a line is written at most this often, so that a log stays readable."""


class Progress:
    """Says where the work is: `begin(title, of)`, `step(text)`, `done(text)`. Writes nothing but to `out`."""

    def __init__(self, out: TextIO | None = None):
        self.out = out or sys.stdout
        self.live = self.out.isatty()
        self.title, self.of, self.at = "", 0, 0
        self.began = self.said = time.monotonic()
        self.width = 0

    def begin(self, title: str, of: int = 0) -> None:
        """A new part of the work, of so many steps (0: not known)."""
        self.title, self.of, self.at = title, of, 0
        self.began = time.monotonic()
        self.said = 0.0
        self._show("")

    def step(self, text: str = "", *, at: int | None = None) -> None:
        """One step further; `at` sets the number itself."""
        self.at = self.at + 1 if at is None else at
        self._show(text)

    def done(self, text: str = "") -> None:
        """The part is finished."""
        seconds = time.monotonic() - self.began
        self._clear()
        self._line(f"{text or self.title} ({seconds:.0f} s)" if seconds >= 1 else text or self.title)

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        self._line(text)

    def _show(self, text: str) -> None:
        count = f"{self.at} of {self.of}" if self.of else (str(self.at) if self.at else "")
        line = "  ".join(word for word in (self.title, count, text) if word)
        if self.live:
            line = line[:118]
            self.out.write("\r" + line.ljust(self.width))
            self.out.flush()
            self.width = len(line)
        elif time.monotonic() - self.said >= PLAIN_SECONDS or not self.said:
            self.said = time.monotonic()
            self._line(line)

    def _clear(self) -> None:
        if self.live and self.width:
            self.out.write("\r" + " " * self.width + "\r")
            self.width = 0

    def _line(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()
