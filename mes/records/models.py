"""Record and Fact: the two kinds of guarded rows, and the security event that survives a rollback."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any, ClassVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Func
from simple_history.models import HistoricalRecords

from mes import acts, asked
from mes.audit.models import CurrentTx, TxField
from mes.errors import Missing, NoSiteContext, StaleRecord, WriteOutsideService
from mes.keys import uuid7
from mes.records import collector, guards, inserting, instances
from mes.records.context import current_site
from mes.records.states import StateTable


class RecordNow(Func):
    """The record clock as a column default (`guard.record_now()`)."""

    function = "guard.record_now"
    output_field = models.DateTimeField()
    arity = 0


@cache
def _is_of_a_site(model: type[models.Model]) -> bool:
    return any(table.name == model._meta.db_table and guards.policy(table) for table in guards.tables())


@cache
def _row_of(model: type[models.Model]) -> asked.Asked:
    """The question for any row of the model, by its key and under its lock: nearly every deed begins with it."""
    return asked.asked(uuid.UUID)(lambda pk: _locked(model._default_manager.all(), pk))


def _locked(rows: models.QuerySet, pk) -> models.QuerySet:
    return rows.select_for_update(no_key=True, of=("self",)).filter(pk=pk)


class GuardedQuerySet(models.QuerySet):
    """Refuses what would go past the door: bulk changes and deletions."""

    _plain = False
    """Every row of the model, with no condition: set by the manager and lost with the first."""

    @property
    def db(self):
        """The database to ask; raises NoSiteContext where row security would answer "nothing" for want of a site."""
        if current_site() is None and _is_of_a_site(self.model):
            raise NoSiteContext(
                f"{self.model.__name__} was read without a site; read it inside site_context() or a service"
            )
        return super().db

    def update(self, **kwargs):
        raise WriteOutsideService(
            f"{self.model.__name__}: no update(); change a record in a service"
        )

    def delete(self):
        raise WriteOutsideService(f"{self.model.__name__}: rows are never deleted")

    def bulk_update(self, *args, **kwargs):
        raise WriteOutsideService(f"{self.model.__name__}: no bulk_update()")

    def bulk_create(self, *args, **kwargs):
        raise WriteOutsideService(
            f"{self.model.__name__}: use insert() for facts, save() for records"
        )

    # Django's save() of an existing row calls _update(), not update(): records stay saveable.

    def lock(self, pk, *, seen: int | None = None):
        """The row, locked against other writers (FOR NO KEY UPDATE) to the end of the deed.

        Raises StaleRecord when `seen` is not the row's version, Missing when there is no such row here.
        """
        usual = self._plain and self.db == DEFAULT_DB_ALIAS and type(pk) is uuid.UUID and connections[self.db].in_atomic_block
        row = next(iter(_row_of(self.model)(pk) if usual else _locked(self, pk)), None)
        if row is None:
            raise Missing(
                "not_found", f"There is no such {self.model._meta.verbose_name} here."
            )
        if seen is not None and row.version != seen:
            raise StaleRecord()
        return row

    def one(self, **lookup):
        """The one row, or Missing."""
        row = self.filter(**lookup).first()
        if row is None:
            raise Missing(
                "not_found", f"There is no such {self.model._meta.verbose_name} here."
            )
        return row

    def insert(self, facts):
        """Insert facts in one statement inside the open deed; returns them as the database returned them."""
        facts = list(facts)
        if facts:
            collector.require_deed(self.model)
            if not inserting.insert(self.model, facts, self.db, then=collector.note_fact):
                super().bulk_create(facts)
                for fact in facts:
                    collector.note_fact(fact)
        return facts


class GuardedManager(models.Manager.from_queryset(GuardedQuerySet)):
    """Gives out querysets that know they have no condition yet."""

    def get_queryset(self):
        rows = super().get_queryset()
        rows._plain = True
        return rows


class HistoryRow(models.Model):
    """Base of simple-history's version rows: append-only, cited by the trail."""

    row_kind: ClassVar[str] = "history"

    class Meta:
        abstract = True


class Guarded(models.Model):
    """What Record and Fact share: a UUIDv7 key, the site, the record time of its insertion."""

    stream_kind: ClassVar[str]
    """First word of the stream's name: lot, recipe, specification, material_lot, equipment, person, site, …"""
    stream_field: ClassVar[str] = "id"
    """The attribute that holds the stream's id, for example "lot_id"."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    site = models.ForeignKey("mes.Site", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=RecordNow(), editable=False)
    tx = TxField(db_default=CurrentTx(), editable=False)

    objects = GuardedManager()

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or not instances.fill(self, kwargs):
            super().__init__(*args, **kwargs)

    @classmethod
    def from_db(cls, db, field_names, values):
        return instances.read(cls, db, values) or super().from_db(db, field_names, values)

    @property
    def stream(self) -> str:
        return f"{self.stream_kind}:{getattr(self, self.stream_field)}"

    def delete(self, *args: Any, **kwargs: Any):
        raise WriteOutsideService(f"{type(self).__name__}: rows are never deleted")


class Record(Guarded):
    """A thing with a state. Guarded save, no delete, a version number, every version kept by simple-history."""

    row_kind: ClassVar[str] = "record"
    states: ClassVar[StateTable | None] = None

    version = models.IntegerField(default=0, editable=False)

    history = HistoricalRecords(
        inherit=True,
        bases=[HistoryRow],
        excluded_fields=["tx"],
        history_id_field=models.UUIDField(default=uuid7),
        history_change_reason_field=models.TextField(blank=True, default=""),
        user_db_constraint=False,
        custom_model_name=lambda name: f"{name}History",
    )

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db, field_names, values):
        row = super().from_db(db, field_names, values)
        row._loaded_state = row.__dict__.get("state") if cls.states else None
        return row

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save inside the open deed; raises WriteOutsideService outside one, RuleBroken for a move the table lacks."""
        deed = collector.require_deed(type(self))
        self._check_state()
        self.version += 1
        self._history_user = None
        self._history_date = deed.at
        self._change_reason = deed.reason
        kwargs.pop("update_fields", None)
        if args or kwargs or self._state.adding or not self._save_with_version(deed):
            super().save(*args, **kwargs)
        if self.states is not None:
            self._loaded_state = self.state

    def _save_with_version(self, deed) -> bool:
        """A known row: it and its version in one statement. simple-history does the same in two, for new rows and whatever this leaves to it."""
        known = {"at": deed.at, "reason": deed.reason, "user_id": deed.by.user_id, "using": self._state.db}
        return inserting.update(self, history_id=uuid7(), **known, then=lambda kept: collector.note_version(self, kept))

    def _check_state(self) -> None:
        if self.states is None:
            return
        if not self._state.adding:
            self.states.check_move(getattr(self, "_loaded_state", None) or self.state, self.state)
        elif self.state not in self.states.moves:
            raise WriteOutsideService(f"{type(self).__name__}: {self.state!r} is not in its table of moves")


class Fact(Guarded):
    """Something that happened: inserted once, never updated, never deleted."""

    row_kind: ClassVar[str] = "fact"

    by = models.ForeignKey("mes.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert inside the open deed; raises WriteOutsideService outside one or when the fact exists already."""
        deed = collector.require_deed(type(self))
        if not self._state.adding:
            raise WriteOutsideService(
                f"{type(self).__name__}: a fact is written once; a correction is a new fact"
            )
        if self.by_id is None:
            self.by_id = deed.by.user_id
        if self.site_id is None:
            self.site_id = deed.by.site_id
        super().save(*args, force_insert=True)
        collector.note_fact(self)


class SecurityEvent(Fact):
    """A refused attempt: failed sign-in or signing, refused authority, out of sequence, wrong scan.

    Ids are held by value: the thing tried may not exist, and the deed that tried was rolled back. 21 CFR 11.300(d).
    """

    stream_kind = "security"
    stream_field = "site_id"
    audit_said = {"attempted": acts.deed_words, "kind": acts.kind_words}

    code = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    sentence = models.TextField()
    attempted = models.CharField(max_length=80, blank=True)
    username = models.CharField(max_length=150, blank=True)
    subject = models.CharField(max_length=120, blank=True)
    channel = models.CharField(max_length=20, blank=True)
    station = models.CharField(max_length=80, blank=True)

    def __str__(self) -> str:
        return acts.kind_words(self.kind)
