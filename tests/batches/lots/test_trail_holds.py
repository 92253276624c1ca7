"""New lots stop while a guard is missing or the recipe's trail is broken; work on running lots goes on (decision 8)."""

import pytest

from batches.execution import queries, services
from mes.errors import RuleBroken
from mes.records.context import site_context
from tests.builders.floor import Floor


@pytest.fixture
def floor(committed_db):
    return Floor()


def _superuser(database, *statements, values=None):
    with database.connect("ADMIN_DATABASE_URL") as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement, values)


@pytest.mark.req("AUD-07", case="negative")
def test_no_lot_is_ordered_while_a_guard_is_missing_and_a_running_lot_goes_on(floor, committed_db):
    running = floor.order()
    _superuser(committed_db, "ALTER TABLE batches_entry DISABLE TRIGGER guard_change")

    with pytest.raises(RuleBroken) as refused:
        floor.order()

    assert refused.value.code == "guard_missing"
    with site_context(floor.place.site.pk):
        run = queries.run_by_key(running.number, "A0.1")
    assert services.open_step(by=floor.by("sam"), step_run_id=run.pk, seen=run.version, scanned="", typed_with=None).state == "open"


@pytest.mark.req("AUD-07", case="negative")
def test_no_lot_is_ordered_with_a_recipe_whose_trail_was_changed(floor, committed_db):
    _superuser(
        committed_db,
        "ALTER TABLE batches_recipeversion DISABLE TRIGGER ALL",
        "UPDATE batches_recipeversion SET text = replace(text, 'min: 70', 'min: 10')",
        "ALTER TABLE batches_recipeversion ENABLE TRIGGER ALL",
        "ALTER TABLE batches_recipeversion ENABLE ALWAYS TRIGGER guard_write",
        "ALTER TABLE batches_recipeversion ENABLE ALWAYS TRIGGER guard_remove",
        "ALTER TABLE batches_recipeversion ENABLE ALWAYS TRIGGER guard_sealed",
        "ALTER TABLE batches_recipeversion ENABLE ALWAYS TRIGGER guard_truncate",
    )

    with pytest.raises(RuleBroken) as refused:
        floor.order()

    assert refused.value.code == "trail_broken"
