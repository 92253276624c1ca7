"""YAML read node by node: the value, and the line and column of every key and value.

ruamel composes the text to nodes (YAML 1.2, so ``no`` and ``12:30`` stay text) and this module builds the values from the characters that
stand in the file: a number becomes an ``int`` or an exact ``Decimal``, never a binary float; a list becomes a tuple. Duplicate keys, tags and
anchors are refused: a reader of the signed text must see what the machine sees.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from batches.recipes.document.problems import Path, Position, Problem, field_name

LARGEST_TEXT = 1_000_000
DEEPEST_NESTING = 24
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")
_DECIMAL = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d{1,9})?")


@dataclass
class Positions:
    """Where each key and value of a document stands."""

    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)

    def of(self, path: Path) -> Position:
        """The place of a value, or of the nearest part around it that is in the text."""
        for length in range(len(path), -1, -1):
            place = self.values.get(path[:length])
            if place is not None:
                return place
        return Position(1, 1)

    def of_key(self, path: Path) -> Position:
        """The place of the key that names a value, or of the value when it has no key."""
        return self.keys.get(path) or self.of(path)

    def problem(self, path: Path, code: str, message: str, *, at_key: bool = False) -> Problem:
        """A problem at that path."""
        place = self.of_key(path) if at_key else self.of(path)
        return Problem(place.line, place.column, field_name(path), code, message)


@dataclass
class ReadDocument:
    """A document as values, with positions and the problems met on the way."""

    tree: Any
    positions: Positions
    problems: list[Problem]


def read(text: str) -> ReadDocument:
    """The values of a YAML text with their places. Problems are collected, never raised; ``tree`` is None when the YAML itself is broken."""
    document = ReadDocument(None, Positions(), [])
    if len(text) > LARGEST_TEXT:
        document.problems.append(Problem(1, 1, "", "text_too_long", f"the text is longer than {LARGEST_TEXT} characters"))
        return document
    node = _compose(text, document.problems)
    if node is None:
        if not document.problems:
            document.problems.append(Problem(1, 1, "", "document_empty", "the text holds no document"))
        return document
    document.tree = _build(node, (), document)
    return document


def _yaml() -> YAML:
    # Pure: the C reader gives no columns. Safe: the round-trip scanner puts marks into folded texts. Nothing is constructed with it.
    return YAML(typ="safe", pure=True)


def _compose(text: str, problems: list[Problem]) -> Node | None:
    try:
        # Events come first: they are made without recursion, so depth is known before compose() recurses.
        # A text with aliases is read no further: a few lines of them can stand for more values than any memory holds.
        if not _note_forbidden(text, problems) or any(problem.code == "anchor" for problem in problems):
            return None
        return _yaml().compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or error.context or "it cannot be read"
        problems.append(Problem(line, column, "", "yaml_syntax", f"this is not YAML: {what}"))
    except (YAMLError, ValueError) as error:
        problems.append(Problem(1, 1, "", "yaml_syntax", f"this is not YAML: {str(error).splitlines()[0]}"))
    return None


def _note_forbidden(text: str, problems: list[Problem]) -> bool:
    """Notes anchors, aliases and tags. False when the text is nested too deep to be read on."""
    depth = 0
    for event in _yaml().parse(text):
        place = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST_NESTING:
            problems.append(Problem(*place, "", "nested_too_deep", f"the text is nested deeper than {DEEPEST_NESTING} levels"))
            return False
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            problems.append(Problem(*place, "", "anchor", "anchors (&) and aliases (*) are not used here; write the value out"))
        elif isinstance(event, ScalarEvent | CollectionStartEvent) and getattr(event, "tag", None):
            problems.append(Problem(*place, "", "tag", "tags (!) are not used here; write the plain value"))
    return True


def _build(node: Node, path: Path, document: ReadDocument) -> Any:
    positions = document.positions
    positions.values[path] = Position(node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, MappingNode):
        return _build_mapping(node, path, document)
    if isinstance(node, SequenceNode):
        return tuple(_build(child, (*path, index), document) for index, child in enumerate(node.value))
    return _build_scalar(node, path, document)


def _build_mapping(node: MappingNode, path: Path, document: ReadDocument) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = Position(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, ScalarNode) or str(key_node.tag) != "tag:yaml.org,2002:str":
            written = getattr(key_node, "value", "")
            name = written if isinstance(written, str) else "?"
            document.problems.append(Problem(place.line, place.column, field_name((*path, name)), "key_not_text", "a field name is text; quote it or mend it"))
            continue
        key = key_node.value
        if key in built:
            first = document.positions.keys[(*path, key)].line
            message = f"'{key}' stands here a second time; the first is in line {first}. Keep one"
            document.problems.append(Problem(place.line, place.column, field_name((*path, key)), "duplicate_key", message))
            continue
        document.positions.keys[(*path, key)] = place
        built[key] = _build(value_node, (*path, key), document)
    return built


def _build_scalar(node: ScalarNode, path: Path, document: ReadDocument) -> Any:
    tag = str(node.tag)
    written = node.value
    if tag.endswith(":null"):
        return None
    if tag.endswith(":bool"):
        return written.lower() == "true"
    if tag.endswith(":int") and _INTEGER.fullmatch(written):
        return int(written) if len(written) <= 40 else Decimal(written)
    if tag.endswith(":float") and _DECIMAL.fullmatch(written):
        return Decimal(written)
    if tag.endswith((":int", ":float")):
        message = f"'{written}' is not written as a plain decimal number; write it such as 1000, 0.5 or 1e6, or quote it when it is text"
        document.problems.append(document.positions.problem(path, "number_written_oddly", message))
    return written
