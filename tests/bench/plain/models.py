"""Entry and StepRun column by column on plain tables: once with django-simple-history, once with no history at all.

No guard, no trigger, no row security stands on them; foreign keys, indexes and constraints are those of the product.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from batches.execution.models import Entry, StepRun
from mes.keys import uuid7


def _columns(model: type[models.Model], own: dict[type, str]) -> dict[str, models.Field]:
    columns: dict[str, models.Field] = {}
    for known in model._meta.concrete_fields:
        if known.name == "tx":
            continue
        if known.name == "recorded_at":
            columns[known.name] = models.DateTimeField(default=timezone.now)
        elif known.name == "id":
            columns[known.name] = models.UUIDField(primary_key=True, default=uuid7, editable=False)
        elif known.is_relation:
            kind = models.OneToOneField if known.one_to_one else models.ForeignKey
            columns[known.name] = kind(own.get(known.remote_field.model, known.remote_field.model), models.PROTECT, null=known.null, related_name="+")
        else:
            columns[known.name] = known.clone()
    return columns


def _plain(name: str, model: type[models.Model], own: dict[type, str], more: dict) -> type[models.Model]:
    constraints = []
    for known in model._meta.constraints:
        copied = known.clone()
        copied.name = f"{name.lower()}_{known.name}"[:60]
        constraints.append(copied)
    indexes = [models.Index(fields=known.fields, name=f"{name.lower()[:8]}_{known.name}"[:30]) for known in model._meta.indexes]
    meta = type("Meta", (), {"constraints": constraints, "indexes": indexes})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **_columns(model, own), **more})


KeptRun = _plain("KeptRun", StepRun, {}, {"history": HistoricalRecords()})
KeptEntry = _plain("KeptEntry", Entry, {StepRun: "plain.KeptRun", Entry: "self"}, {"history": HistoricalRecords()})
BareRun = _plain("BareRun", StepRun, {}, {})
BareEntry = _plain("BareEntry", Entry, {StepRun: "plain.BareRun", Entry: "self"}, {})

ALL = (KeptRun, KeptRun.history.model, KeptEntry, KeptEntry.history.model, BareRun, BareEntry)


def leave_to_themselves() -> None:
    """The product's receivers hear of its own history rows only; those of these tables are nobody's deed."""
    from simple_history import signals

    from mes.records import collector

    heard = {
        "cartulary.before_history": (signals.pre_create_historical_record, collector.before_history_row),
        "cartulary.history": (signals.post_create_historical_record, collector.on_history_row),
    }
    for name, (signal, receiver) in heard.items():
        signal.disconnect(dispatch_uid=name)
        signal.connect(_for_ours(receiver), weak=False, dispatch_uid=name)


def _for_ours(receiver):
    def heard(sender, **kwargs):
        if getattr(sender, "row_kind", "") == "history":
            receiver(sender, **kwargs)

    return heard
