"""The scheduled verification: goes on where it stopped, finds what was spoilt, raises one alarm, and stops new lots, approvals and release."""

from contextlib import contextmanager

import pytest

from batches.dossier.queries import trail
from batches.lots.models import Lot
from mes.checkpoints import services, verification
from mes.checkpoints.models import TrailCheck
from mes.clock import record_now
from mes.errors import NotAllowed, RuleBroken
from mes.keys import uuid7
from mes.people import services as people
from mes.people.setup import system_actor
from mes.records.context import site_context
from mes.records.intact import broken_streams, check_trail_holds
from mes.verifier.database import CannotVerify
from quality import tasks
from quality.alerts import heartbeats
from quality.alerts.models import Alert
from quality.release import queries
from quality.review.kinds import is_quiet
from quality.review.queries import picture
from quality.tasks import check_trail_of
from tests.builders.laboratory import Laboratory
from tests.builders.staff import signed_in


class Checked:
    """A laboratory in a database of its own, checked once after a checkpoint."""

    def __init__(self, database):
        self.database, self.lab = database, Laboratory()
        self.site = self.lab.place.site
        self.jobs = system_actor(self.site.pk)
        self.lot = self.lab.order()
        services.take_checkpoint(by=self.jobs)

    def check(self, *, whole: bool = False) -> TrailCheck:
        check_trail_of(self.site, whole=whole)
        with site_context(self.site.pk):
            check = verification.last_check(self.site.pk)
        self.made = check.recorded_at if check else None
        return check

    def alarms(self) -> list[Alert]:
        return self.lab.alerts(cause__startswith="trail_broken")

    def write(self) -> str:
        """Something new in a stream of its own; returns the stream."""
        self.count = getattr(self, "count", 0) + 1
        return f"person:{people.enrol_person(by=self.lab.place.setup, username=f'new{self.count}', full_name='Somebody Made Up').pk}"

    TABLES = ("mes_auditentry", "mes_user", "mes_userhistory", "mes_accessevent", "mes_signatureseal")

    @contextmanager
    def superuser(self):
        with self.database.connect("ADMIN_DATABASE_URL") as connection:
            connection.execute("SET session_replication_role = replica")
            for table in self.TABLES:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            yield connection
            for table in self.TABLES:
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
                names = connection.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'guard%%'", [table]).fetchall()
                for (name,) in names:
                    connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")

    def spoil(self, stream: str, reason: str = "a reason nobody gave") -> None:
        with self.superuser() as connection:
            assert connection.execute("UPDATE mes_auditentry SET reason = %s WHERE stream = %s", [reason, stream]).rowcount


@pytest.fixture
def checked(committed_db, settings, tmp_path):
    settings.KEYS_FOLDER = tmp_path / "keys"
    return Checked(committed_db)


@pytest.mark.req("AUD-07", case="positive")
def test_a_check_leaves_a_fact_and_a_heartbeat_and_the_next_goes_on_from_there(checked):
    first = checked.check()
    stream = checked.write()
    second = checked.check()

    assert (first.broken, second.broken, first.size, second.size) == ({}, {}, 1, 1)
    assert first.entries > second.entries >= 2 and second.streams < first.streams, "the lot's stream is not gone over again"
    assert not heartbeats.is_due(checked.site.pk, heartbeats.TRAIL_CHECK, heartbeats.TRAIL_CHECK_EVERY)
    assert checked.alarms() == []
    with site_context(checked.site.pk):
        check_trail_holds(stream)


@pytest.mark.req("AUD-07", case="negative")
def test_a_broken_stream_raises_one_alarm_and_stops_new_lots_approvals_and_release(checked):
    checked.check()
    stream = checked.write()
    checked.spoil(stream)

    assert list(checked.check().broken) == [stream]
    assert list(checked.check().broken) == [stream], "what does not hold is gone over again until it does"

    (alarm,) = checked.alarms()
    assert alarm.severity == "alarm" and stream in alarm.title and "qa_release" in alarm.roles
    with site_context(checked.site.pk):
        assert list(broken_streams()) == [stream]
        with pytest.raises(RuleBroken) as refused:
            check_trail_holds()
    assert refused.value.code == "trail_broken" and stream in refused.value.sentence
    with pytest.raises(RuleBroken) as refused:
        checked.lab.order()
    assert refused.value.code == "trail_broken"
    checked.spoil(stream, "")
    assert checked.check().broken == {}
    assert checked.lab.order() is not None, "once the stream holds, work goes on"


def unguarded(checked) -> list:
    """The exceptions of the lot about work behind a break."""
    with site_context(checked.site.pk):
        lot = Lot.objects.select_related("recipe_version__master", "site").get(pk=checked.lot.pk)
        return [line for line in picture(lot).lines if line.finding.kind == "trail"]


@pytest.mark.req("AUD-05", case="negative")
@pytest.mark.req("AUD-12", case="negative")
def test_work_while_a_guard_is_missing_goes_on_and_is_marked_while_it_lasts_and_in_the_review(checked):
    floor, mark = signed_in(checked.lab.users["sam"]), "/alerts/trail/"
    assert checked.check().holds and "does not hold" not in floor.get(mark).content.decode()
    guard = "ALTER TABLE batches_attachment {} TRIGGER guard_change"
    with checked.database.connect("ADMIN_DATABASE_URL") as connection:
        connection.execute(guard.format("DISABLE"))
    tasks.check_trail()
    tasks.check_trail()

    (alarm,) = checked.lab.alerts(cause__startswith="guard_missing")
    assert alarm.severity == "alarm" and "batches_attachment" in alarm.body
    checked.lab.open(checked.lot, "A0.1", "sam")
    checked.lab.enter(checked.lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    for page in (f"/lots/{checked.lot.number}/", f"/lots/{checked.lot.number}/steps/A0.1/"):
        assert f'hx-get="{mark}"' in floor.get(page).content.decode()
    assert "does not hold" in floor.get(mark).content.decode()
    (line,) = unguarded(checked)
    first = line.key
    with site_context(checked.site.pk):
        loud = [entry.seq for entry in trail(checked.lot.pk) if entry.at > checked.made and not is_quiet(entry.events)]
        assert TrailCheck.objects.count() == 2, "one more when the guard went, and none while nothing changes"
    assert f"{len(loud)} entries were made" in line.finding.title and line.finding.title.endswith(f"{loud[0]} to {loud[-1]}")
    assert dict(line.finding.facts)["Held again"] == "not yet" and "batches_attachment" in dict(line.finding.facts)["Found"]
    checked.lab.perform(checked.lot, "A0.1", "sam")
    (line,) = unguarded(checked)
    assert line.key != first, "what came after a decision is decided anew"

    with checked.database.connect("ADMIN_DATABASE_URL") as connection:
        connection.execute(guard.format("ENABLE ALWAYS"))
    tasks.check_trail()
    assert "does not hold" not in floor.get(mark).content.decode()
    checked.lab.second(checked.lot, "A0.1", "sue", at="sam")
    (after,) = unguarded(checked)
    assert after.key == line.key and dict(after.finding.facts)["Held again"] != "not yet", "what came once all held again is not marked"


@pytest.mark.req("AUD-07", case="negative")
def test_a_past_cut_off_after_it_was_checked_is_found_though_nothing_new_was_written(checked):
    stream = checked.write()
    services.take_checkpoint(by=checked.jobs)
    assert checked.check().size == 2
    with checked.superuser() as connection:
        connection.execute("DELETE FROM mes_auditentry WHERE stream = %s", [stream])

    assert list(checked.check().broken) == [stream]


@pytest.mark.req("AUD-07", case="negative")
def test_a_value_changed_behind_an_old_entry_is_found_by_the_check_of_everything(checked):
    stream = checked.write()
    services.take_checkpoint(by=checked.jobs)
    checked.check()
    with checked.superuser() as connection:
        connection.execute("UPDATE mes_userhistory SET full_name = 'Somebody Else' WHERE id = %s", [stream.partition(":")[2]])

    assert checked.check().broken == {}, "what was checked and not touched in its chain is not gone over again"
    assert list(checked.check(whole=True).broken) == [stream]
    assert len(checked.alarms()) == 1


@pytest.mark.req("AUD-07", case="negative")
def test_a_check_that_cannot_be_made_is_no_good_news(checked, monkeypatch, caplog):
    monkeypatch.setenv("VERIFY_DATABASE_URL", "")

    with pytest.raises(CannotVerify):
        verification.check_trail(checked.jobs)
    assert checked.check() is None
    assert heartbeats.is_due(checked.site.pk, heartbeats.TRAIL_CHECK, heartbeats.TRAIL_CHECK_EVERY)
    assert heartbeats.missed([checked.site.pk]) == ["no sweep has finished yet"]
    monkeypatch.setattr(heartbeats, "TRAIL_CHECK_AFTER", heartbeats.dt.timedelta(0))
    assert "the audit trail has not been checked yet" in heartbeats.missed([checked.site.pk])


@pytest.mark.req("AUD-07", case="negative")
def test_no_person_records_a_check(checked):
    with pytest.raises(NotAllowed) as caught:
        services.record_trail_check(by=checked.lab.by("boss"), size=1, streams=1, entries=1, broken={})

    assert caught.value.code == "check_by_person"


@pytest.mark.req("AUD-07", case="negative")
def test_a_broken_stream_of_the_site_closes_the_gate_of_its_lots(checked):
    stream = checked.write()
    checked.spoil(stream)
    checked.check()

    with site_context(checked.site.pk):
        lines = {line.code: line for line in queries.gate(Lot.objects.get(pk=checked.lot.pk), "stage_1", record_now())}
    assert not lines["chain"].ok and stream in lines["chain"].detail


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("SIG-17", case="negative")
def test_the_check_of_everything_finds_what_no_entry_cites_and_it_stays_found_until_it_is_mended(checked):
    """A row that is planted and a seal that is taken away touch no chain: only the site's tables and signatures show them."""
    services.take_checkpoint(by=checked.jobs)
    checked.check()
    planted, stream = uuid7(), f"person:{checked.lab.by('boss').user_id}"
    with checked.superuser() as connection:
        connection.execute(
            "INSERT INTO mes_accessevent (id, site_id, by_id, kind, station, recorded_at, tx) VALUES (%s, %s, %s, 'in', '', now(), pg_current_xact_id())",
            [planted, checked.site.pk, checked.lab.by("boss").user_id],
        )
        connection.execute("UPDATE mes_user SET full_name = 'Somebody Else' WHERE id = %s", [checked.lab.by("boss").user_id])
        signed, seal = connection.execute("SELECT stream_name, seal FROM mes_signatureseal LIMIT 1").fetchone()
        connection.execute("UPDATE mes_signatureseal SET seal = set_byte(seal, 3, get_byte(seal, 3) # 1) WHERE seal = %s", [seal])

    assert checked.check().broken == {}, "nothing was written since"
    whole = checked.check(whole=True).broken
    assert {"(no stream)", stream, signed} <= set(whole) and str(planted) in whole["(no stream)"]["sentence"]
    assert all(len(each["state"]) == 64 for each in whole.values())
    assert set(checked.check().broken) == set(whole), "the next check does not forget what only a check of everything finds"
    with checked.superuser() as connection:
        connection.execute("UPDATE mes_accessevent SET station = 'elsewhere' WHERE id = %s", [planted])
    further = checked.check().broken
    assert further["(no stream)"]["sentence"] == whole["(no stream)"]["sentence"] and further["(no stream)"]["state"] != whole["(no stream)"]["state"]
