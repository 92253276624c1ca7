"""How a table's rows are said to a person, told by the app that knows them: the one place for the trail on the screen, a past moment and the printed annex.

An app registers a wording for a table (`word`), and once the words of the lots that rows belong to (`speak_with`): the names that a recipe gives to
steps and parameters. What has no wording is said field by field by mes.audit.readable. AUD-02; 21 CFR 11.10(e).
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db import models

from mes.audit.models import AuditRow
from mes.clock import typed_words
from mes.words import plain, shown_unit


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an entry did. `old` is empty for what is new; `notable` marks what a reviewer always looks at, whatever the kind of act."""

    what: str
    old: str = ""
    new: str = ""
    notable: bool = False


@dataclass
class Words:
    """What wordings may ask where no lot is known: codes as plain words."""

    zone: str = "UTC"

    def parameter(self, run_id, key: str) -> str:
        return plain(key)

    def typed(self, text: str, unit: str = "") -> str:
        """A recorded value with its unit; a moment in the zone of the site."""
        return f"{typed_words(text, self.zone)} {shown_unit(unit)}".strip()

    def material(self, code: str) -> str:
        return code

    def step(self, run_id) -> str:
        return ""

    def where(self, row: models.Model | None) -> str:
        """The step that a row belongs to."""
        return ""

    def called(self, model: type[models.Model], key) -> str:
        """The words for a row that another one points to; empty where its own text says it best."""
        return ""

    def coded(self, model: type[models.Model], column: str, row) -> str:
        """The words for a column that holds a code of the recipe; empty where it holds none."""
        return ""


Wording = Callable[[Words, models.Model, models.Model | None], Sequence[Change]]
"""(words, the row as this entry wrote it, its previous version or the fact it supersedes) -> what is said; nothing leaves it out."""
Stands = Callable[[Words, models.Model], Sequence[Change]]
"""(words, the row) -> how it stands, where that is more than what is said of a new one."""
Speaker = Callable[[Iterable[uuid.UUID], str], Mapping[uuid.UUID, Words]]

_wordings: dict[str, tuple[Wording, tuple[str, ...]]] = {}
_stands: dict[str, Stands] = {}
_counted: dict[str, str] = {}
_speakers: list[Speaker] = []


def word(table: str, wording: Wording, *related: str, stands: Stands | None = None, counted: str = "") -> None:
    """Register how a table is worded; `related` is loaded with its rows. New rows of it that say nothing are `counted` under these words."""
    _wordings[table] = (wording, related)
    if counted:
        _counted[table] = counted
    if stands is not None:
        _stands[table] = stands


def speak_with(speaker: Speaker) -> None:
    """Register who knows the words of lots: `speaker(lot ids, zone)` gives them by id; the lots that it does not know are left out."""
    _speakers[:] = [speaker]


def words_of(lot_ids: Iterable[uuid.UUID | None], zone: str) -> dict[uuid.UUID | None, Words]:
    """The words of each lot asked for, and the plain ones under None. Call it inside the site context."""
    asked = {each for each in lot_ids if each is not None}
    found: dict[uuid.UUID | None, Words] = dict.fromkeys(asked, Words(zone))
    for speaker in _speakers if asked else ():
        found |= speaker(asked, zone)
    return found | {None: Words(zone)}


def has_words(table: str) -> bool:
    return table in _wordings


def counted(rows: Iterable[AuditRow]) -> list[Change]:
    """New rows that are only counted, each kind once for all of an entry."""
    tally = Counter(row.table for row in rows if row.version == 1 and row.table in _counted)
    return [Change(_counted[table], "", str(count)) for table, count in tally.items()]


class Cited:
    """The rows of worded tables that entries cite: facts by id, records by version. `also` names tables without a wording that are loaded too."""

    def __init__(self, cited: Sequence[AuditRow], also: Iterable[str] = ()):
        self.rows: dict[tuple[str, uuid.UUID, int], models.Model] = {}
        wanted: dict[str, set[uuid.UUID]] = defaultdict(set)
        for row in cited:
            wanted[row.table].add(row.row_id)
        for table, ids in wanted.items():
            if table in _wordings or table in set(also):
                self._load(table, ids)

    def _load(self, table: str, ids: set[uuid.UUID]) -> None:
        model = next(each for each in apps.get_models() if each._meta.db_table == table)
        bytes_of = [one.name for one in model._meta.concrete_fields if isinstance(one, models.BinaryField)]
        related = _wordings[table][1] if table in _wordings else ()
        if model.row_kind == "record":
            for row in model.history.model.objects.filter(id__in=ids).defer(*bytes_of).select_related(*related):
                self.rows[table, row.id, row.version] = row
        else:
            for row in model.objects.filter(pk__in=ids).defer(*bytes_of).select_related(*related):
                self.rows[table, row.pk, 1] = row

    def row(self, cited: AuditRow) -> models.Model | None:
        return self.rows.get((cited.table, cited.row_id, cited.version))

    def changes(self, words: Words, cited: AuditRow) -> Sequence[Change]:
        """What this row says; nothing where its table has no wording."""
        if cited.table not in _wordings:
            return ()
        row = self.row(cited)
        if row is None:
            return (Change(f"{cited.table} {cited.row_id} cannot be read"),)
        return _wordings[cited.table][0](words, row, self.rows.get((cited.table, cited.row_id, cited.version - 1)))

    def stands(self, words: Words, cited: AuditRow) -> Sequence[Change]:
        """How the row stood when it was cited; nothing where its table has no wording."""
        row = self.row(cited)
        if row is None or cited.table not in _wordings:
            return ()
        return _stands[cited.table](words, row) if cited.table in _stands else _wordings[cited.table][0](words, row, None)
