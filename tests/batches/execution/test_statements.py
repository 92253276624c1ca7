"""How many statements a submission takes: counted, since no other work on the machine can blur a count (issue 3, Speed)."""

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef
from django.test.utils import CaptureQueriesContext

from batches.events import Event
from batches.execution import services
from batches.execution.models import Entry, StepRun
from batches.execution.rules.steps import check_open
from batches.lots.models import Hold
from mes.audit import chain
from mes.audit.models import AuditEntry
from mes.errors import RuleBroken
from mes.records import door
from mes.records.door import service
from tests.batches.execution.test_api import Caller
from tests.builders.floor import RECIPE, Floor
from tests.builders.staff import PIN

MANY = 100
REMARK = "          - {key: remark, name: Remark, type: text, required: false}\n"
WIDE = RECIPE.replace(
    REMARK, REMARK + "".join(f'          - {{key: p{n}, name: Value {n}, type: decimal, unit: "%", decimals: 1, required: false}}\n' for n in range(MANY + 1))
)
APART = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS", "SELECT set_config")
"""Not counted: BEGIN, COMMIT and savepoints, and what stands for COMMIT where a test is rolled back."""


def statements(call) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        call()
    return [one["sql"] for one in asked.captured_queries if not one["sql"].startswith(APART)]


@pytest.fixture
def wide(db, monkeypatch):
    """A floor whose step A1.2 records many values, open."""
    monkeypatch.setattr(door, "SERVICES", dict(door.SERVICES))
    floor = Floor(recipe=WIDE)
    floor.lot = floor.to_count()
    floor.step = floor.run(floor.lot, "A1.2")
    return floor


def submission(floor, first: int, count: int) -> list[str]:
    """Facts and a new version of a record through the door, with the rules read that such a deed reads."""

    @service(Event.VALUE_RECORDED)
    def submit(*, by):
        run = StepRun.objects.annotate(held=Exists(Hold.objects.filter(lot_id=OuterRef("lot_id"), state="open"))).lock(floor.step.pk)
        check_open(run)
        assert not run.held
        Entry.objects.insert(
            Entry(site_id=by.site_id, by_id=by.user_id, lot_id=run.lot_id, step_run=run, parameter=f"x{number}", value_text="1.0")
            for number in range(first, first + count)
        )
        run.state_reason = f"{count} values"
        run.save()
        return run

    return statements(lambda: submit(by=floor.by("maya")))


def test_a_submission_takes_eight_statements_at_most_for_one_value_and_for_a_hundred(wide):
    one, many = submission(wide, 0, 1), submission(wide, 1, MANY)
    assert len(one) == len(many) <= 8, many
    with wide.reading():
        entry = AuditEntry.objects.filter(lot_id=wide.lot.pk).latest("seq")
        run = StepRun.objects.get(pk=wide.step.pk)
        kept = run.history.get(version=run.version)
        assert entry.rows.count() == MANY + 1
    assert (kept.state_reason, kept.history_type, kept.history_user_id) == ("100 values", "~", wide.users["maya"].pk)


def record(floor, first: int, count: int) -> list[str]:
    values = [services.Typed(f"p{number}", f"{number}.0") for number in range(first, first + count)]
    return statements(lambda: services.record_values(by=floor.by("maya"), step_run_id=floor.step.pk, values=values))


def test_values_of_a_step_take_as_many_statements_for_a_hundred_as_for_one(wide):
    one, many = record(wide, 0, 1), record(wide, 1, MANY)
    assert len(one) == len(many), many
    with wide.reading():
        entry = AuditEntry.objects.filter(lot_id=wide.lot.pk).latest("seq")
        assert entry.rows.count() == MANY
        assert Entry.objects.filter(step_run=wide.step, parameter__startswith="p").count() == MANY + 1
        # what the database filled in gives the very bytes that the written-down form gives
        assert chain.entry_canon(chain.json.loads(bytes(entry.canon))) == bytes(entry.canon)


def test_values_sent_over_the_api_take_as_many_statements_for_a_hundred_as_for_one(wide):
    caller = Caller(wide, "maya")

    def send(first: int, count: int) -> list[str]:
        values = [{"parameter": f"p{number}", "value": f"{number}.0", "unit": "%"} for number in range(first, first + count)]
        answers = []
        asked = statements(lambda: answers.append(caller.post(f"lots/{wide.lot.number}/steps/A1.2/values/", {"values": values})))
        assert answers[0].status_code == 201, answers[0].content
        assert [(each["recorded"], each["entry"]["value"]) for each in answers[0].json()["values"]] == [(True, each["value"]) for each in values]
        return asked

    send(0, 1)  # what a process keeps once it was asked is read
    one, many = send(1, 1), send(2, MANY - 1)
    assert len(one) == len(many), many


SIGNED = 22
"""Statements of a step signed over the API: 2 to know who calls, 1 to take the request's key, 4 around the secret (what was prepared, the signer, the
try, its end), 13 in the deed, 2 to keep the answer. In the deed: 1 opens it, 3 read (lot and step under lock, signer, what the step holds), 1 spends
the intent, 4 write, 2 ask whether a sample or a signed review waits for this, 1 marks the key, 1 appends to the trail."""
SECOND = 29
"""The same of a second person, signed in another's session: 1 more reads which meaning it is, 1 how the session's person stands, 1 whether the signer
worked on the step, 2 the first signature, 1 whether the making is done, and 1 alerts about the step in the place of its samples."""


def signed(floor, lot, path: str, signer: str) -> list[str]:
    """The statements of one POST …/sign/ by a person of the session; the page that prepares it is not counted."""
    caller = Caller(floor, "maya")
    made = caller.get(f"lots/{lot.number}/steps/A1.2/{path}")
    body = {"intent": made.json()["intent"], "username": floor.users[signer].username, "secret": PIN}
    answers = []
    asked = statements(lambda: answers.append(caller.post(f"lots/{lot.number}/steps/A1.2/{path}", body)))
    assert answers[0].status_code == 201, answers[0].content
    return asked


@pytest.mark.req("SIG-02", case="positive")
def test_a_signature_takes_as_many_statements_with_a_hundred_values_more(wide):
    few, many = wide.lot, wide.to_count()
    for lot in (few, many):
        wide.fill_count(lot)
    wide.step = wide.run(many, "A1.2")
    record(wide, 0, MANY)
    one, other = signed(wide, few, "sign/", "maya"), signed(wide, many, "sign/", "maya")
    assert len(one) == len(other) == SIGNED, other
    second = signed(wide, many, "second/sign/", "jonas")
    assert len(second) == SECOND, second


def test_where_one_of_many_values_is_refused_by_a_rule_none_is_written(wide):
    values = [services.Typed("p1", "1.0"), services.Typed("total_car", "2.0")]
    with pytest.raises(RuleBroken) as refusal:
        services.record_values(by=wide.by("maya"), step_run_id=wide.step.pk, values=values)
    assert refusal.value.code == "calculated_value"
    with wide.reading():
        assert not Entry.objects.filter(step_run=wide.step, parameter="p1").exists()
