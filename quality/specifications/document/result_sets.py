"""Result sets of whole lots as text, for demonstrations and comparisons with published lots.

Each value says whether it was published (V) or made up (demo); the two never mix unmarked (decision 29).
"""

from typing import Literal

from pydantic import Field

from batches.recipes.document.fields import Code, Frozen, Line, ParameterKey, Source, Text, Version
from batches.recipes.document.problems import DocumentRefused, Problem, did_you_mean
from batches.recipes.document.reading import read
from batches.recipes.document.shape import pour
from quality.specifications.document.schema import Specification

NOT_PUBLISHED = "illustrative, not published"
"""What is printed beside a value that no source gives."""

ValueEvidence = Literal["V", "demo"]


class ResultSetsRefused(DocumentRefused):
    """The text of result sets is refused."""

    noun = "result_set"


class InterimReading(Frozen):
    """A dated reading of a test that still runs; ``day`` counts from sampling."""

    value: Line
    day: int = Field(ge=0)
    evidence: ValueEvidence


class ReportedResult(Frozen):
    """A result as reported, text kept: ``26.0``, ``<=0.5``, ``absent``."""

    criterion: Code
    value: Line
    evidence: ValueEvidence
    interim: InterimReading | None = None
    note: Text | None = None

    @property
    def mark(self) -> str:
        """What stands beside the value in print: nothing for a published one."""
        return "" if self.evidence == "V" else NOT_PUBLISHED


class RecordedValue(Frozen):
    """A value of the batch record, by the recipe's parameter."""

    parameter: ParameterKey
    value: Line
    evidence: ValueEvidence
    note: Text | None = None

    @property
    def mark(self) -> str:
        """What stands beside the value in print: nothing for a published one."""
        return "" if self.evidence == "V" else NOT_PUBLISHED


class ResultSet(Frozen):
    """One lot: what its record holds (``record``), what follows by calculation (``calculated``) and its results."""

    lot: Line
    source: Code
    record: tuple[RecordedValue, ...] = ()
    calculated: tuple[RecordedValue, ...] = ()
    results: tuple[ReportedResult, ...] = Field(min_length=1)
    note: Text | None = None

    def result(self, criterion: str) -> ReportedResult:
        """The result for a criterion. Raises ``KeyError``."""
        for result in self.results:
            if result.criterion == criterion:
                return result
        raise KeyError(criterion)


class ResultSets(Frozen):
    """Lots judged by one specification version."""

    specification: Code
    specification_version: Version
    recipe: Code
    demo: bool
    based_on: tuple[Source, ...]
    note: Text | None = None
    lots: tuple[ResultSet, ...] = Field(min_length=1)

    def lot(self, name: str) -> ResultSet:
        """The lot with that name. Raises ``KeyError``."""
        for each in self.lots:
            if each.lot == name:
                return each
        raise KeyError(name)


def parse_result_sets(text: str, specification: Specification | None = None) -> ResultSets:
    """The result sets in a text; with a specification, that every criterion has exactly one result. Raises ``ResultSetsRefused``."""
    document = read(text)
    sets, problems = pour(ResultSets, document)
    if sets is None:
        raise ResultSetsRefused(problems)
    known = {each.id for each in sets.based_on}
    found: list[Problem] = []
    for at, each in enumerate(sets.lots):
        if each.source not in known:
            found.append(document.positions.problem(("lots", at, "source"), "source_unknown", f"'{each.source}' is no source of this text"))
        seen: set[str] = set()
        for place, result in enumerate(each.results):
            path = ("lots", at, "results", place, "criterion")
            if result.criterion in seen:
                found.append(document.positions.problem(path, "named_twice", f"'{result.criterion}' has a second result for {each.lot}"))
            seen.add(result.criterion)
            if specification is not None and result.criterion not in {criterion.code for criterion in specification.criteria}:
                hint = did_you_mean(result.criterion, [criterion.code for criterion in specification.criteria])
                found.append(document.positions.problem(path, "reference_unknown", f"there is no criterion '{result.criterion}'{hint}"))
        for criterion in specification.criteria if specification is not None else ():
            if criterion.code not in seen:
                message = f"{each.lot} has no result for '{criterion.code}'"
                found.append(document.positions.problem(("lots", at, "results"), "result_missing", message))
    if found:
        raise ResultSetsRefused(found)
    return sets
