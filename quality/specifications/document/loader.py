"""Text to specification, with the same reader and the same sentences as recipes."""

from dataclasses import dataclass

from batches.recipes.document.plain import to_yaml
from batches.recipes.document.problems import SpecificationRefused
from batches.recipes.document.reading import Positions, read
from batches.recipes.document.shape import pour
from quality.specifications.document.schema import Specification


@dataclass(frozen=True)
class ReadSpecification:
    """A specification together with the places of its text."""

    specification: Specification
    positions: Positions


def read_specification(text: str) -> ReadSpecification:
    """The specification in a text, with positions. Raises ``SpecificationRefused`` with every problem of YAML and shape."""
    document = read(text)
    specification, problems = pour(Specification, document)
    if specification is None:
        raise SpecificationRefused(problems)
    return ReadSpecification(specification, document.positions)


def parse_specification(text: str) -> Specification:
    """The specification in a text. Raises ``SpecificationRefused`` with every problem of YAML and shape."""
    return read_specification(text).specification


def export(specification: Specification) -> str:
    """The specification as YAML text that reads back to an equal specification."""
    return to_yaml(specification)
