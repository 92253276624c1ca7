"""A read document poured into its frozen model, every fault turned into a problem that names line and field.

Used for recipes here and for specifications in ``quality``: the sentences are the same in both.
"""

from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from batches.recipes.document.fields import Frozen
from batches.recipes.document.problems import Path, Problem, did_you_mean
from batches.recipes.document.reading import Positions, ReadDocument

Model = TypeVar("Model", bound=Frozen)

_AT_KEY = frozenset({"extra_forbidden"})
_COMPARISONS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def pour(model: type[Model], document: ReadDocument) -> tuple[Model | None, list[Problem]]:
    """The model made from the document, or None with every problem of its shape. Duplicate keys and the like are part of the problems."""
    problems = list(document.problems)
    if document.tree is None and problems:
        return None, problems
    poured: Model | None = None
    try:
        poured = model.model_validate(document.tree)
    except ValidationError as refused:
        errors = refused.errors(include_url=False)
        problems += [_problem(model, error, document.positions) for error in errors if not _is_echo(error)]
    return (None if problems else poured), problems


def _is_echo(error: ErrorDetails) -> bool:
    # pydantic calls a list too short when its entries were refused; the entries have their own problems already.
    return error["type"] == "too_short" and len(error["input"]) >= error.get("ctx", {}).get("min_length", 0)


def _problem(model: type[Frozen], error: ErrorDetails, positions: Positions) -> Problem:
    path: Path = error["loc"]
    code, message = _sentence(model, error, path)
    return positions.problem(path, code, message, at_key=error["type"] in _AT_KEY)


def _sentence(model: type[Frozen], error: ErrorDetails, path: Path) -> tuple[str, str]:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    name = str(path[-1]) if path else "document"
    if kind == "missing":
        return "field_missing", f"'{name}' is missing"
    if kind == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        hint = did_you_mean(name, known) or f"; known here: {', '.join(known)}"
        return "field_unknown", f"'{name}' is no field of this part{hint}"
    if kind == "literal_error":
        choices = [str(choice) for choice in _literals_at(model, path)]
        return "choice_unknown", f"{_shown(value)} is none of {', '.join(choices)}{did_you_mean(str(value), choices)}"
    if kind == "string_type":
        return _text_wanted(name, value)
    if kind in ("int_type", "int_from_float", "int_parsing"):
        return "whole_number_wanted", f"{_shown(value)} stands where a whole number is wanted"
    if kind == "bool_type":
        return "true_or_false_wanted", f"{_shown(value)} stands where true or false is wanted"
    if kind == "tuple_type":
        return "list_wanted", f"{_shown(value)} stands where a list is wanted"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "fields_wanted", f"{_shown(value)} stands where a block of fields is wanted"
    if kind == "too_short":
        least = context.get("min_length", 1)
        return "list_too_short", f"the list holds {context.get('actual_length', 0)} entries; at least {least} are wanted"
    if kind == "string_too_long":
        return "text_too_long", f"the text is longer than {context.get('max_length')} characters"
    if kind in _COMPARISONS:
        limit, words = _COMPARISONS[kind]
        return "number_out_of_range", f"{_shown(value)} stands where a number {words} {context.get(limit)} is wanted"
    if kind in ("number_wanted", "text_shape"):
        return kind, f"{_shown(value)} stands here; {error['msg']}"
    return kind, error["msg"]


def _text_wanted(name: str, value: Any) -> tuple[str, str]:
    if name == "version":
        return "version_unquoted", f'the version {_shown(value)} is read as a number, in which 1.10 equals 1.1; write it in quotes: version: "{value}"'
    if isinstance(value, dict | tuple) or value is None:
        return "text_wanted", f"{_shown(value)} stands where a text is wanted"
    return "text_wanted", f"{_shown(value)} stands where a text is wanted; write it in quotes"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a block of fields"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return str(value)[:60]


def _models_in(annotation: Any) -> list[type[Frozen]]:
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _model_at(model: type[Frozen], path: Path) -> type[Frozen] | None:
    for part in path:
        if isinstance(part, int):
            continue
        field = next((each for key, each in model.model_fields.items() if part in (key, each.alias)), None)
        inner = _models_in(field.annotation) if field is not None else []
        if not inner:
            return None
        model = inner[0]
    return model


def _fields_at(model: type[Frozen], path: Path) -> list[str]:
    found = _model_at(model, path)
    if found is None:
        return []
    return [field.alias or key for key, field in found.model_fields.items() if key not in found.filled_by_the_reader()]


def _literals_at(model: type[Frozen], path: Path) -> list[Any]:
    names = [part for part in path if isinstance(part, str)]
    parent = _model_at(model, tuple(names[:-1]))
    if parent is None:
        return []
    field = next(each for key, each in parent.model_fields.items() if names[-1] in (key, each.alias))
    return _literal_values(field.annotation)


def _literal_values(annotation: Any) -> list[Any]:
    values: list[Any] = []
    for part in get_args(annotation):
        values += [part] if isinstance(part, str) else _literal_values(part)
    return values
