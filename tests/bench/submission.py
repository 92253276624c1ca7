"""What tamper evidence costs: one audited submission against the same rows with less, and with nothing.

    .venv/bin/python tests/bench/submission.py [--rounds 7] [--each 40]

The work: 10 facts (Entry), 1 record (StepRun) with its history row, 1 audit entry that cites 11 digests, in one committed
transaction, through the product's own door with every guard of the database standing. Compared, in turns, in one run, with

* the same 11 rows saved one by one with django-simple-history on plain tables (history only: no guard, no chain),
* the same 11 rows with no audit of any kind (`save()` and `bulk_create`),
* one SQL function that writes all of it, chain included, into copies of the product's tables without guards (floor.py).

Nothing here asserts a time; the number of statements, which no other work can blur, is asserted in tests/mes/records.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import place

VALUES = 10
LIMITS = {"action": {"min": "70"}, "plausible": {"max": "100", "min": "0"}}


class Contenders:
    """One floor, one lot, one open step; the same rows written in each way."""

    def __init__(self, database) -> None:
        from django.db import connections

        from batches.execution.models import StepRun
        from tests.bench import floor
        from tests.bench.plain.models import ALL, BareRun, KeptRun, leave_to_themselves
        from tests.builders.floor import Floor

        self.house = Floor()
        self.lot = self.house.to_count()
        self.by = self.house.by("maya")
        self.run_id = self.house.run(self.lot, "A1.2").pk
        self.number = 0
        with connections["migrator"].schema_editor() as editor:
            for model in ALL:
                editor.create_model(model)
                editor.execute(f'GRANT SELECT, INSERT, UPDATE ON "{model._meta.db_table}" TO cartulary_app')
        with self.house.reading():
            run = StepRun.objects.get(pk=self.run_id)
        columns = {field.attname: getattr(run, field.attname) for field in StepRun._meta.concrete_fields if field.name != "tx"}
        leave_to_themselves()
        self.kept, self.bare = KeptRun(**columns), BareRun(**columns)
        self.kept.save(force_insert=True)
        self.bare.save(force_insert=True)
        with database.connect(autocommit=True) as admin:
            floor.build(admin)
            admin.execute("INSERT INTO bench.run SELECT * FROM public.batches_steprun WHERE id = %s", [self.run_id])
            admin.execute("ANALYZE")

    def values(self) -> list[dict]:
        """Ten values that were never recorded before, as columns of an entry."""
        from mes.keys import uuid7

        self.number += 1
        return [
            {"id": uuid7(), "site_id": self.by.site_id, "by_id": self.by.user_id, "lot_id": self.lot.pk, "step_run_id": self.run_id,
             "parameter": f"v{self.number}.{place}", "value_text": "82.40", "value": "82.40", "qualifier": "", "unit": "%", "decimals": 2, "level": "within",
             "sentence": "", "limits": LIMITS, "source": "typed", "trace": "", "late": False, "reason": ""}
            for place in range(VALUES)
        ]  # fmt: skip

    def product(self) -> None:
        """Through the door."""
        _submit()(by=self.by, step_run_id=self.run_id, values=self.values(), why=f"submission {self.number}")

    def simple_history(self) -> None:
        from django.db import transaction

        from tests.bench.plain.models import KeptEntry

        with transaction.atomic():
            for columns in self.values():
                KeptEntry(**columns).save()
            self._move(self.kept)

    def no_audit(self) -> None:
        from django.db import transaction

        from tests.bench.plain.models import BareEntry

        with transaction.atomic():
            BareEntry.objects.bulk_create(BareEntry(**columns) for columns in self.values())
            self._move(self.bare)

    def _move(self, run) -> None:
        run.version += 1
        run.state_reason = f"submission {self.number}"
        run.save(force_update=True)

    def sql_function(self) -> None:
        from django.db import connection

        from mes.audit import chain
        from mes.keys import uuid7

        by, given = self.by, chain.canonical_json(self.values())
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT bench.submit(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)",
                [uuid7(), uuid7(), uuid7(), self.run_id, f"submission {self.number}", by.user_id, by.username, by.full_name, by.role, by.channel,
                 by.station, given],
            )  # fmt: skip

    def check_floor(self, database) -> None:
        """One call of the function, its digests compared with the product's own."""
        from psycopg.rows import dict_row

        from mes.records.collector import digest_columns
        from tests.bench import floor

        self.sql_function()
        with database.connect(row_factory=dict_row) as admin:

            def columns_of(model, row_id):
                copy = next(copy for copy, table in floor.COPIES.items() if table == model._meta.db_table)
                row = admin.execute(f"SELECT * FROM bench.{copy} WHERE id = %s", [row_id]).fetchone()
                return {column: row[column] for column, _ in digest_columns(model)}

            floor.check(columns_of)


def _submit():
    """The service, made once Django is set up: one rule read, ten facts, one record."""
    global _made
    if _made is None:
        from django.db.models import Exists, OuterRef

        from batches.events import Event
        from batches.execution.models import Entry, StepRun
        from batches.execution.rules.steps import check_open
        from batches.lots.models import Hold
        from mes.asked import asked
        from mes.errors import RuleBroken
        from mes.records.door import service
        from mes.records.together import together

        @asked(uuid.UUID)
        def steps(run_id):
            held = Exists(Hold.objects.filter(lot_id=OuterRef("lot_id"), state="open"))
            return StepRun.objects.annotate(held=held).select_for_update(no_key=True, of=("self",)).filter(pk=run_id)

        @service(Event.VALUE_RECORDED)
        def submit(*, by, step_run_id, values, why):
            with together():  # facts are written before the step is locked: the next one on this step waits for what lies between
                Entry.objects.insert(Entry(**columns) for columns in values)
                (run,) = steps(step_run_id)
            check_open(run)
            if run.held:
                raise RuleBroken("lot_on_hold", "The lot is on hold.")
            run.state_reason = why
            run.save()
            return run

        _made = submit
    return _made


_made = None


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--each", type=int, default=40, help="runs of each contender in a round")
    words.add_argument("--profile", action="store_true", help="profile the product alone")
    given = words.parse_args()
    with place.own_database("tests.bench.plain") as database:
        place.say_where(database)
        them = Contenders(database)
        them.check_floor(database)
        if given.profile:
            return profile(them, given.rounds * given.each)
        calls = {
            "the product: guarded, versioned, chained": them.product,
            "django-simple-history, save() x 11 (no guard, no chain)": them.simple_history,
            "no audit: save() and bulk_create": them.no_audit,
            "one SQL function that does the same (no guard)": them.sql_function,
        }
        product, history, bare, function = calls
        times = place.take_turns(calls, rounds=given.rounds, each=given.each)
        print(f"\none submission: {VALUES} facts, 1 record, 1 history row, 1 entry that cites {VALUES + 1} digests")
        print(f"statements of the product, BEGIN and COMMIT apart: {statements(them.product)}")
        place.table(times)
        print("\nprocessor time of one of them: of Python, and of the backend")
        from django.db import connection

        for name, (here, there) in place.processor(calls, connection.connection.info.backend_pid, each=3 * given.each).items():
            print(f"  {name:<66}{here:>9.2f} ms{there:>9.2f} ms")
        print()
        place.goal("times as fast as django-simple-history", place.ratio(times, history, product), 3)
        place.goal("part of the SQL function's speed", place.ratio(times, function, product), 0.35)
        place.goal("part of the speed with no audit", place.ratio(times, bare, product), 0.6)
    return 0


def statements(call) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        call()
    kept = [one["sql"] for one in asked.captured_queries if not one["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    return len(kept)


def profile(them: Contenders, times: int) -> int:
    import cProfile
    import pstats

    for _ in range(30):
        them.product()
    found = cProfile.Profile()
    found.enable()
    for _ in range(times):
        them.product()
    found.disable()
    pstats.Stats(found).sort_stats("tottime").print_stats(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
