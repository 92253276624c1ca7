"""Every model has a kind, holds on to what it points to, takes its time from the database, and keeps no secret in plain sight."""

import re

import pytest
from django.apps import apps
from django.core import checks as django_checks
from django.db import models

from mes.checks import WORKING_ROWS, every_model_has_a_kind
from mes.records.models import Fact, Guarded, Record
from tests.house.source import APPS, ROOT, calls, modules, report, texts

#: Foreign keys that do not PROTECT, each with its reason. Versions (simple-history) point nowhere by constraint.
LOOSE_KEYS: dict[str, str] = {}

#: Files that read the machine's clock: wall clock, never record time (decisions 7), each with what for.
WALL_CLOCK = {
    "mes/clock.py": "compares this host's clock with the database's",
    "mes/keys.py": "order inside UUIDv7 keys",
    "mes/people/totp.py": "one-time codes",
    "mes/people/session.py": "sessions",
    "mes/people/session_store.py": "the end of a session",
    "mes/people/middleware.py": "sessions",
    "mes/people/views/access.py": "sessions",
    "mes/passkeys/views.py": "life of a page on which a passkey is made",
    "mes/passkeys/sign_in.py": "life of a question to a passkey",
    "mes/signatures/ceremony.py": "life of a signing intent",
    "mes/web/once.py": "life of a form's token",
    "mes/web/templatetags/ui.py": "how long ago, as drawn",
    "mes/verifier/run.py": "seconds that a check took",
    "mes/tasks.py": "how long the broker is left alone",
}
CLOCKS = {"now", "utcnow", "today", "localtime", "time", "localdate", "monotonic_ns", "time_ns"}
CLOCK_OWNERS = {"timezone", "datetime", "date", "dt", "time"}
#: clock_timestamp() is the record clock's own and the wall clock of working rows.
TRANSACTION_TIME = re.compile(r"\bnow\(\)|\bCURRENT_TIMESTAMP\b|\btransaction_timestamp\b|\bstatement_timestamp\b", re.IGNORECASE)

#: Columns under history or digest that look like secrets, each with what they really hold.
SECRETS = {
    "mes.User.password": "Argon2id hash",
    "mes.User.pin": "Argon2id hash",
    "mes.SecondFactor.secret": "AES-GCM under a key outside the database",
    "mes.Passkey.credential_id": "handle of a key, public by itself",
    "mes.SignatureAssertion.credential_id": "the same",
    "mes.DeviceCredential.token_digest": "SHA-256 of 256 random bits",
}
SECRET_WORDS = re.compile(r"password|passwd|secret|token|pin$|api_?key|private|credential|otp", re.IGNORECASE)
#: Columns that look like a patient's identity, each with what they really hold (decisions 10).
PATIENT: dict[str, str] = {}
PATIENT_WORDS = re.compile(
    r"patient_name|family_name|given_name|first_name|last_name|surname|birth|\bdob\b|\bmrn\b|hospital_number|insurance|social_security"
    r"|address|phone|postcode|ethnic",
    re.IGNORECASE,
)


def ours() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in APPS]


def is_version(model) -> bool:
    return getattr(model, "row_kind", "") == "history"


def test_every_model_is_a_record_a_fact_or_a_listed_working_row():
    errors = every_model_has_a_kind(None)
    assert not errors, report([error.msg for error in errors], "Derive it from Record or Fact, or list it in mes/checks.py with a reason.")


def test_every_listed_working_row_exists_and_has_a_reason():
    labels = {model._meta.label for model in ours() if not hasattr(model, "row_kind")}
    gone = set(WORKING_ROWS) - labels
    assert not gone, report(gone, "Take these out of WORKING_ROWS in mes/checks.py: there is no such model.")
    assert all(WORKING_ROWS.values())


def test_nobody_derives_around_the_two_kinds():
    odd = {m._meta.label for m in ours() if issubclass(m, Guarded) and not is_version(m) and not issubclass(m, Record | Fact)}
    assert not odd, report(odd, "Derive from Record or Fact, not from what they share.")


def test_every_record_and_fact_names_its_stream():
    without = {m._meta.label for m in ours() if issubclass(m, Guarded) and not is_version(m) and not getattr(m, "stream_kind", "")}
    assert not without, report(without, "Set stream_kind, and stream_field where it is not the row's own id.")


def test_every_record_and_fact_has_words_for_a_person():
    plain = {m._meta.label for m in ours() if issubclass(m, Guarded) and not is_version(m) and m.__str__ is models.Model.__str__}
    assert not plain, report(plain, "Give it a __str__ without SQL.")


def test_every_foreign_key_protects_what_it_points_to():
    loose = {}
    for model in ours():
        if is_version(model):
            continue
        for field in model._meta.concrete_fields:
            name = f"{model._meta.label}.{field.name}"
            if field.remote_field and field.remote_field.on_delete is not models.PROTECT and name not in LOOSE_KEYS:
                loose[name] = field.remote_field.on_delete.__name__
    assert not loose, report(loose, "Set on_delete=models.PROTECT: nothing of a record goes with another row.")


def test_nothing_points_through_a_hidden_table():
    hidden = {m._meta.label for m in ours() if m._meta.auto_created}
    assert not hidden, report(hidden, "Replace ManyToManyField by a Record or Fact of its own: who added the line, when?")


def test_no_column_takes_its_time_from_the_machine():
    taken = {}
    for model in ours():
        for field in model._meta.concrete_fields:
            if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                taken[f"{model._meta.label}.{field.name}"] = "auto_now"
            elif isinstance(field, models.DateField) and field.has_default() and callable(field.default):
                taken[f"{model._meta.label}.{field.name}"] = "default"
    assert not taken, report(taken, "Use the record clock: db_default=RecordNow(), or the deed's own time deed_now().at.")


def test_only_listed_files_read_the_machines_clock():
    found = {}
    for module in modules():
        path = str(module.path.relative_to(ROOT))
        if path in WALL_CLOCK or path.startswith(("mes/embedded/", "mes/management/")) or "/demo" in path:
            continue
        for name, node in calls(module.tree):
            words = name.split(".")
            if len(words) > 1 and words[-1] in CLOCKS and words[-2] in CLOCK_OWNERS and name != "dt.time":
                found[module.where(node)] = f"{name}()"
    assert not found, report(
        found, "Record time is mes.clock.record_now() or deed_now().at. A wall clock is listed in tests/house/test_models.py with what for."
    )


def test_every_listed_reader_of_the_clock_exists():
    gone = {path for path in WALL_CLOCK if not (ROOT / path).exists()}
    assert not gone, report(gone, "Take these out of WALL_CLOCK.")


TRANSACTION_IS_MEANT = {"mes/records/guard_functions.py": "a version is not from before its transaction began: nothing is recorded with that time"}


def test_no_sql_takes_the_time_of_the_transaction():
    found = {
        module.where(node): text.strip()[:60]
        for module in modules()
        for text, node in texts(module.tree)
        if TRANSACTION_TIME.search(text) and module.where(node).partition(":")[0] not in TRANSACTION_IS_MEANT
    }
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.sql")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if TRANSACTION_TIME.search(line.partition("--")[0]):
                found[f"{path.relative_to(ROOT)}:{number}"] = line.strip()[:60]
    for module in modules():
        for name, node in calls(module.tree):
            if name.split(".")[-1] == "Now":
                found[module.where(node)] = name
    assert not found, report(found, "now() is when the transaction began. Use guard.record_now(), or clock_timestamp() for working rows.")


def test_measured_values_are_never_binary_floats():
    floats = {f"{m._meta.label}.{f.name}" for m in ours() for f in m._meta.concrete_fields if isinstance(f, models.FloatField)}
    assert not floats, report(floats, "Use ExactDecimalField, and keep the text as typed beside it.")


def test_keys_are_uuids():
    odd = {
        m._meta.label
        for m in ours()
        if issubclass(m, Guarded) and not is_version(m) and not isinstance(m._meta.pk, models.UUIDField)
    }
    assert not odd, report(odd, "Keep the UUIDv7 key of Record and Fact.")


def looking_like(words: re.Pattern, listed: dict[str, str]) -> set[str]:
    """Columns of records, facts and versions whose name matches and that are not listed."""
    found = set()
    for model in ours():
        if not issubclass(model, Guarded) or is_version(model):
            continue
        for field in model._meta.concrete_fields:
            name = f"{model._meta.label}.{field.name}"
            if words.search(field.name) and name not in listed:
                found.add(name)
    return found


@pytest.mark.req("COI-08", case="negative")
def test_no_history_keeps_a_secret_or_a_patients_identity():
    secrets = looking_like(SECRET_WORDS, SECRETS)
    assert not secrets, report(secrets, "Histories are kept for ever. Keep a digest or a ciphertext, and list in SECRETS what it is.")
    patients = looking_like(PATIENT_WORDS, PATIENT)
    assert not patients, report(patients, "A patient's identity lives in the vault only, as ciphertext. List in PATIENT what this really is.")


def test_what_is_listed_as_a_secret_exists():
    names = {f"{m._meta.label}.{f.name}" for m in ours() for f in m._meta.concrete_fields}
    assert not (set(SECRETS) | set(PATIENT) | set(LOOSE_KEYS)) - names


def test_django_finds_nothing_wrong():
    found = [str(one) for one in django_checks.run_checks() if one.level >= django_checks.WARNING]
    assert not found, report(found, "Mend what Django's own checks name.")
