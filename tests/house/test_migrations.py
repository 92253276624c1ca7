"""Migrations say in words what they do, none is missing, and none touches what is guarded in passing."""

import importlib
import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import migrations, models

from mes.records.models import Fact, Guarded
from tests.house.source import APPS, ROOT, report

#: What Django calls a migration when nobody gave it a name.
NAMELESS = re.compile(r"^\d{4}_(initial|auto_.*|alter_.*|remove_.*|rename_.*|add_.*_and_more|.*_and_more|delete_.*)$")
DATA = (migrations.RunPython, migrations.RunSQL)
#: Operations that change what rows already say. Adding tables, indexes and nullable columns is none.
CHANGING = (
    migrations.AlterField, migrations.RemoveField, migrations.RenameField, migrations.DeleteModel, migrations.RenameModel,
    migrations.AlterModelTable,
)  # fmt: skip


def every_migration():
    for app in APPS:
        for path in sorted((ROOT / app / "migrations").glob("0*.py")):
            module = importlib.import_module(f"{app}.migrations.{path.stem}")
            yield path, module


def test_every_migration_has_a_name_in_words():
    nameless = {str(path.relative_to(ROOT)) for path, _ in every_migration() if NAMELESS.match(path.stem)}
    assert not nameless, report(nameless, "Say what it does: 0007_keep_the_reason_of_a_hold.py.")


@pytest.mark.django_db
def test_no_migration_is_missing(capsys):
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=1)
    except SystemExit:
        pytest.fail(f"{capsys.readouterr().out}\nRun: python3 manage.py makemigrations --name what_it_does")


def test_data_and_schema_never_share_a_migration():
    mixed = {}
    for path, module in every_migration():
        operations = module.Migration.operations
        if any(isinstance(o, DATA) for o in operations) and any(not isinstance(o, DATA) for o in operations):
            mixed[str(path.relative_to(ROOT))] = "data and schema"
    assert not mixed, report(mixed, "Cut it in two: first the schema, then the data, in a deed of the named actor `migration`.")


def guarded_models() -> set[tuple[str, str]]:
    return {(m._meta.app_label, m._meta.model_name) for m in apps.get_models() if issubclass(m, Guarded) or getattr(m, "row_kind", "")}


def test_no_migration_changes_a_guarded_table_without_saying_why():
    silent = {}
    for path, module in every_migration():
        reasons = getattr(module.Migration, "guarded_changes", {})
        for operation in module.Migration.operations:
            model = getattr(operation, "model_name", getattr(operation, "name", "")).lower()
            key = (module.Migration.__module__.split(".")[0], model)
            if isinstance(operation, CHANGING) and key in guarded_models() and not reasons.get(model):
                silent[str(path.relative_to(ROOT))] = operation.describe()
    assert not silent, report(
        silent, 'Rows of this table are sealed under their column list. Say why it is safe: guarded_changes = {"model": "reason"} in the Migration.'
    )


def test_facts_get_only_columns_that_leave_old_rows_as_they_are():
    facts = {(m._meta.app_label, m._meta.model_name) for m in apps.get_models() if issubclass(m, Fact)}
    odd = {}
    for path, module in every_migration():
        made = {o.name.lower() for o in module.Migration.operations if isinstance(o, migrations.CreateModel)}
        for operation in module.Migration.operations:
            if not isinstance(operation, migrations.AddField) or operation.model_name.lower() in made:
                continue
            key = (module.Migration.__module__.split(".")[0], operation.model_name.lower())
            field = operation.field
            constant = field.has_default() and not callable(field.default)
            computed = isinstance(field.db_default, models.Func)
            if key in facts and (computed or not (field.null or constant or field.has_db_default())):
                odd[f"{path.relative_to(ROOT)}: {operation.name}"] = "neither null nor a constant default"
    assert not odd, report(odd, "A column added to a fact is nullable or has a constant default.")
