"""What is wrong with a text form: each problem names line, column and field, and all of them are told at once."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from mes.errors import UnreadableInput

Path = tuple[str | int, ...]
"""Where a value stands in a document: ("stages", 0, "steps", 2, "title"). Indices count from 0."""


@dataclass(frozen=True, order=True)
class Position:
    """Line and column of a text, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend. ``field`` reads like ``stages[1].steps[3].title`` with indices counted from 1, as people count."""

    line: int
    column: int
    field: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}, {self.field or 'document'}: {self.message}"


class DocumentRefused(UnreadableInput):
    """A text form cannot be read or does not hold together. ``problems`` holds every problem, in the order of the text."""

    noun = "document"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        count = len(self.problems)
        first = str(self.problems[0]) if self.problems else "no problem was named"
        more = {0: "", 1: "", 2: " One more problem is in the list."}.get(count, f" {count - 1} more problems are in the list.")
        detail = {
            "problems": [{"line": each.line, "column": each.column, "field": each.field, "code": each.code, "message": each.message} for each in self.problems]
        }
        sentence = f"The {self.noun} was not taken in. {first[:1].upper()}{first[1:]}.{more}"
        super().__init__(f"{self.noun}_refused", sentence, field=self.problems[0].field if self.problems else "", detail=detail)


class RecipeRefused(DocumentRefused):
    """The text of a recipe is refused."""

    noun = "recipe"


class SpecificationRefused(DocumentRefused):
    """The text of a specification is refused."""

    noun = "specification"


def field_name(path: Path) -> str:
    """The path as people read it: ``stages[1].steps[3].title``."""
    name = ""
    for part in path:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'title'?`` when a known word is near, else an empty text."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
