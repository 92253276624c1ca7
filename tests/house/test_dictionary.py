"""The data dictionary names every stored field: owner, raw or derived, criticality, source, unit, review, retention, personal data. DI-01.

A field without its entry fails. `CARTULARY_WRITE_DICTIONARY=1 python3 manage.py test tests/house/test_dictionary.py` adds a proposal for each
missing field, made from the kind of its table, and takes out what is gone; read it, and change what the proposal got wrong.
"""

from __future__ import annotations

import os
from functools import cache

import pytest
from django.apps import apps
from ruamel.yaml import YAML

from tests.house.source import APPS, ROOT, report

FILE = ROOT / "docs" / "validation" / "data_dictionary.yaml"
WRITING = bool(os.environ.get("CARTULARY_WRITE_DICTIONARY"))
PARTS = ("owner", "raw", "criticality", "source", "unit", "review", "retention", "personal")
CHOICES = {
    "raw": {True, False},
    "criticality": {"high", "medium", "low"},
    "source": {"person", "device", "system"},
    "review": {"by exception", "audit trail", "periodic", "none"},
    "retention": {"lot", "master", "access", "working"},
    "personal": {"none", "staff", "patient, encrypted", "patient, pseudonym"},
}
HEAD = """\
# The data dictionary: what every stored field is. Checked against the models by tests/house/test_dictionary.py.
# [owner, raw data, criticality, source, unit, review rule, retention class, personal-data class]
# owner: the folder of the house that alone writes it. raw data: true, where it is the first place the fact was kept.
# retention: lot (with the batch record), master (with the recipe or specification), access (with the access register), working (no GMP meaning).
"""
#: What a table belongs to, where its folder alone does not say it.
MASTER, ACCESS = {"recipes", "specifications"}, {"people", "passkeys", "api"}
CRITICAL = {"execution", "samples", "release", "signatures", "audit", "lots", "custody"}
STAFF = {"username", "full_name", "by_username", "by_name", "email", "badge", "password", "pin", "physician_name", "physician_email"}


def models() -> dict[str, type]:
    return {m._meta.label_lower: m for m in apps.get_models() if m._meta.app_label in APPS and "historical" not in m._meta.model_name}


def fields() -> dict[str, object]:
    """Every stored field of ours by its full name. A history table holds its record's fields, and these stand there."""
    return {f"{label}.{field.name}": field for label, model in models().items() for field in model._meta.concrete_fields}


@cache
def entries() -> dict[str, dict[str, list]]:
    return YAML(typ="safe").load(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def listed() -> dict[str, list]:
    return {f"{label}.{name}": entry for label, part in entries().items() for name, entry in part.items()}


def proposal(field) -> list:
    """What a field is likely to be, from the kind of its table."""
    model, name = field.model, field.name
    folder = model.__module__.split(".")[1]
    kind = getattr(model, "row_kind", "working")
    working = kind == "working" and not model.__module__.startswith("mes.audit")
    given = name in {"id", "site", "site_id", "by", "recorded_at", "version", "tx", "seq", "prev_hash", "hash", "canon", "at", "wall"}
    retention = "working" if working else "master" if folder in MASTER else "access" if folder in ACCESS else "lot"
    ciphertext = folder == "subjects" and field.get_internal_type() == "BinaryField"
    personal = "patient, encrypted" if ciphertext else "patient, pseudonym" if "pseudonym" in name else "none"
    staff = name in STAFF or getattr(field.related_model, "__name__", "") == "User"
    critical = "low" if working else "high" if folder in CRITICAL and not given else "medium"
    review = "none" if working else "by exception" if critical == "high" else "periodic" if retention in {"access", "master"} else "audit trail"
    source = "system" if given or working or folder in {"audit", "checkpoints", "alerts"} else "device" if folder == "readings" else "person"
    unit = "in the field unit" if name in {"value", "quantity"} else "UTC" if field.get_internal_type() == "DateTimeField" else ""
    return [f"{model._meta.app_label}.{folder}", kind == "fact" and not given, critical, source, unit, review, retention, "staff" if staff else personal]


def _written(part) -> str:
    if isinstance(part, bool):
        return str(part).lower()
    return f'"{part}"' if "," in part or not part else part


def text(found: dict[str, list]) -> str:
    lines, last = [HEAD.rstrip("\n")], ""
    for name, entry in sorted(found.items()):
        label, _, field = name.rpartition(".")
        if label != last:
            lines.append(f"\n{label}:")
            last = label
        lines.append(f"  {field}: [{', '.join(_written(part) for part in entry)}]")
    return "\n".join(lines) + "\n"


def wrong(found: dict[str, list], stored: dict[str, object]) -> dict[str, str]:
    """Every difference between the dictionary and what is stored, in either direction, and every entry that says too little."""
    differences = {name: f"not listed; proposed: {proposal(field)}" for name, field in stored.items() if name not in found}
    differences |= {name: "there is no such field any more" for name in found if name not in stored}
    for name, entry in found.items():
        said = dict(zip(PARTS, entry, strict=False))
        bad = [part for part, known in CHOICES.items() if said.get(part) not in known]
        if len(entry) != len(PARTS) or bad:
            differences[name] = f"says {entry}: {', '.join(bad) or 'parts missing'}"
    return differences


@pytest.mark.req("DI-01", case="positive")
def test_every_stored_field_is_in_the_dictionary_and_every_entry_is_stored():
    if WRITING:
        FILE.write_text(text({name: listed().get(name) or proposal(field) for name, field in fields().items()}), encoding="utf-8")
        entries.cache_clear()
    found = wrong(listed(), fields())
    assert not found, report(found, "Run CARTULARY_WRITE_DICTIONARY=1 python3 manage.py test tests/house/test_dictionary.py, then read what it proposed.")
    assert len(listed()) > 400


@pytest.mark.req("DI-01", case="negative")
def test_a_field_without_entry_an_entry_without_field_and_a_thin_entry_are_named():
    from batches.execution.models import Entry

    stored = {f"batches.entry.{name}": Entry._meta.get_field(name) for name in ("value", "reason", "unit")}
    given = {"batches.entry.value": ["batches.execution", True], "batches.entry.unit": proposal(stored["batches.entry.unit"]), "batches.entry.gone": ["x"] * 8}
    assert set(wrong(given, stored)) == {"batches.entry.reason", "batches.entry.value", "batches.entry.gone"}


def test_what_the_vault_holds_is_listed_as_a_patients():
    held = {name: entry[7] for name, entry in listed().items() if name.startswith("batches.patientidentity.") and entry[7].startswith("patient")}
    assert held
