"""A text form as plain values and back to YAML: for export, comparison and digests. Shared by recipes and specifications."""

from collections.abc import Mapping
from decimal import Decimal
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import LiteralScalarString

from batches.recipes.document.fields import Frozen


def plain(value: Any) -> Any:
    """The value as dicts, lists, texts, whole numbers and Decimals; fields that stand at their default are left out, as in a written text."""
    if isinstance(value, Frozen):
        hidden = value.filled_by_the_reader()
        return {
            field.alias or name: plain(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if name not in hidden and (field.is_required() or getattr(value, name) != field.get_default(call_default_factory=True))
        }
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


def to_yaml(value: Frozen) -> str:
    """The value as YAML text that reads back to the same value: blocks, fields in the order of the schema, long texts as blocks."""
    target = StringIO()
    writer = YAML(typ="rt", pure=True)
    writer.Representer = _Representer
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 140
    writer.allow_unicode = True
    writer.dump(_with_blocks(plain(value)), target)
    return target.getvalue()


class _Representer(RoundTripRepresenter):
    """Writes a Decimal as the plain number it is, digit for digit."""


def _represent_decimal(representer: RoundTripRepresenter, number: Decimal) -> Any:
    text = str(number)
    tag = "tag:yaml.org,2002:float" if set(text) & set(".eE") else "tag:yaml.org,2002:int"
    return representer.represent_scalar(tag, text)


_Representer.add_representer(Decimal, _represent_decimal)


def _with_blocks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_blocks(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_blocks(each) for each in value]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return value
