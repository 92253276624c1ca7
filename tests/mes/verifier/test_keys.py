"""The site's key changes and old proofs still hold; co-signed checkpoints are compared too."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.test import override_settings

from mes.checkpoints import anchors, keys, notes, services, witnessing
from mes.errors import NotAllowed, RuleBroken
from mes.people import services as people
from mes.people.setup import system_actor
from mes.verifier import run
from mes.verifier.database import CannotVerify
from tests.builders.staff import open_site


class Rotated:
    """Two checkpoints under the first key, the second of which announced the next; one under the next, all anchored."""

    def __init__(self, trail, folder: Path):
        self.trail, self.folder, self.site = trail, folder, trail.place.site
        self.code, self.jobs = self.site.code, system_actor(self.site.pk)
        services.take_checkpoint(by=self.jobs)
        call_command("rotate_checkpoint_key", "--site", self.code, "--reason", "yearly change")
        self.grow()
        anchors.anchor_waiting(self.jobs)

    def grow(self):
        people.enrol_person(by=self.trail.place.setup, username=f"more{os.urandom(4).hex()}", full_name="Somebody Made Up")
        return services.take_checkpoint(by=self.jobs)

    def verify(self, **trust):
        return run.verify(self.trail.database.urls["VERIFY_DATABASE_URL"], trust=run.Trust(**{"folder": str(self.folder)} | trust))

    def file(self, size: int) -> Path:
        return self.folder / self.code / f"{size:08d}.checkpoint"

    def list_of(self, path: Path, *lines: tuple[int, str]) -> str:
        path.write_text("".join(f"{first} {key}\n" for first, key in lines))
        return str(path)


@pytest.fixture
def rotated(trail, tmp_path):
    with override_settings(KEYS_FOLDER=tmp_path / "keys", ANCHORS_FOLDER=tmp_path / "anchors", COSIGN=True):
        yield Rotated(trail, tmp_path / "anchors")


@pytest.mark.req("AUD-08", case="positive")
@pytest.mark.req("AUD-08", case="negative")
def test_checkpoints_in_the_database_are_checked_with_the_keys_given_and_the_verdict_says_where_none_was(rotated, capsys):
    url, first, second = rotated.trail.database.urls["VERIFY_DATABASE_URL"], keys.key_text(rotated.code), keys.key_text(rotated.code, 1)

    assert run.verify(url, key_lines=[first]).sentence().endswith("all intact"), "the first key vouches for the one it announces"
    for given, unchecked in ((None, 3), ([second], 2)):
        report = run.verify(url, key_lines=given)
        assert report.intact and report.unchecked == [f"the signatures of {unchecked} checkpoints (--key)"]
        assert f"intact as far as checked. NOT checked, for nothing was given to check with: {report.unchecked[0]}" in report.sentence()
    assert run.main(["--url", url, "--quiet"]) == 0 and "as far as checked" in capsys.readouterr().out.splitlines()[-1]
    assert run.main(["--url", url, "--quiet", "--strict"]) == 3
    assert run.main(["--url", url, "--quiet", "--strict", "--links"]) == 3
    assert keys.public_lines() == [first, second]
    with rotated.trail.superuser() as connection:
        connection.execute("UPDATE mes_checkpoint SET note = replace(note, E'\n2\n', E'\n4\n') WHERE size = 2")
    broken = run.verify(url, key_lines=[first])
    assert any("is not the one that cartulary/" in each.sentence for each in broken.findings.kept)
    found = {each.stream: each.kind for each in broken.findings.kept if each.stream.startswith("checkpoint:")}
    assert found == {f"checkpoint:{rotated.code}/2": "edit", f"checkpoint:{rotated.code}/3": "unsealed"}, "its announcement is not believed any more"


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize("sizes", [(3,), (1, 2, 3)])
def test_a_checkpoint_signed_by_a_key_that_nobody_gave_is_a_break_and_not_left_unchecked(rotated, sizes):
    """Who writes the database has a key of their own: it must not pass for one that the reader only forgot to give."""
    url, given = rotated.trail.database.urls["VERIFY_DATABASE_URL"], [keys.key_text(rotated.code), keys.key_text(rotated.code, 1)]
    stranger = Ed25519PrivateKey.generate()
    with rotated.trail.superuser() as connection:
        for size, note in connection.execute("SELECT size, note FROM mes_checkpoint").fetchall():
            if size in sizes:
                said = notes.read(note, *notes.read_key(given[size > 2]))
                connection.execute("UPDATE mes_checkpoint SET note = %s WHERE size = %s", [notes.sign(said, said.origin, stranger), size])
    report = run.verify(url, key_lines=given)
    found = {each.stream for each in report.findings.kept if each.kind == "unsealed"}
    assert found == {f"checkpoint:{rotated.code}/{size}" for size in sizes}
    assert not any("checkpoint" in each for each in report.unchecked)


@pytest.mark.req("AUD-08", case="positive")
def test_checkpoints_under_both_keys_hold_by_announcement_and_by_list(rotated, tmp_path):
    first, second = keys.key_text(rotated.code), keys.key_text(rotated.code, 1)

    assert first != second
    assert notes.read(rotated.file(2).read_text(), *notes.read_key(first)).next_key == second
    assert notes.read(rotated.file(3).read_text(), *notes.read_key(second)).size == 3
    assert rotated.verify().intact
    assert rotated.verify(keys=rotated.list_of(tmp_path / "list", (1, first), (3, second))).intact


@pytest.mark.req("AUD-08", case="negative")
def test_the_retired_key_signs_nothing_any_more(rotated):
    path = rotated.file(3)
    said = notes.read(path.read_text(), *notes.read_key(keys.key_text(rotated.code, 1)))
    path.chmod(0o644)
    path.write_text(notes.sign(said, said.origin, keys.site_key(rotated.code)))

    assert [each.stream.rpartition("/")[2] for each in rotated.verify().findings.kept] == ["00000003.checkpoint"]


@pytest.mark.req("AUD-08", case="negative")
def test_a_key_that_nobody_announced_is_not_believed(rotated):
    rotated.file(2).unlink()
    assert [each.stream.rpartition("/")[2] for each in rotated.verify().findings.kept] == ["00000003.checkpoint"]


@pytest.mark.req("AUD-08", case="negative")
def test_an_announcement_that_differs_from_the_given_list_is_named(rotated, tmp_path):
    stranger = notes.verifier_text(keys.key_name(rotated.code), Ed25519PrivateKey.generate().public_key())
    first = keys.key_text(rotated.code)

    report = rotated.verify(keys=rotated.list_of(tmp_path / "list", (1, first), (3, stranger)))

    assert any("announces another key" in each.sentence for each in report.findings.kept)
    assert any("00000003" in each.stream for each in report.findings.kept)
    for lines in ([(2, first)], []):
        with pytest.raises(CannotVerify):
            rotated.verify(keys=rotated.list_of(tmp_path / "list", *lines) if lines else str(tmp_path / "none"))


def test_a_retired_key_may_be_destroyed(rotated):
    (keys.key_folder() / f"{rotated.code}.ed25519").unlink()

    assert rotated.grow().size == 4
    anchors.anchor_waiting(rotated.jobs)
    assert rotated.verify().intact


@pytest.mark.req("AUD-08", case="negative")
def test_a_lost_key_is_not_silently_replaced(rotated):
    (keys.key_folder() / f"{rotated.code}.1.ed25519").unlink()

    with pytest.raises(RuleBroken) as caught:
        rotated.grow()
    assert caught.value.code == "checkpoint_key_lost"


@pytest.mark.req("AUD-08", case="negative")
def test_no_person_changes_the_key_and_nobody_without_a_reason(rotated):
    person = rotated.jobs.__class__(rotated.jobs.user_id, "dba", "Made Up Administrator", rotated.jobs.site_id)

    with pytest.raises(NotAllowed) as caught:
        services.announce_key(by=person, reason="to sign another past")
    assert caught.value.code == "key_by_person"
    with pytest.raises(CommandError, match="Say why"):
        call_command("rotate_checkpoint_key", "--site", rotated.code, "--reason", " ")
    with pytest.raises(CommandError, match="no site"):
        call_command("rotate_checkpoint_key", "--site", "ZZZ", "--reason", "yearly")


@pytest.mark.req("AUD-08", case="positive")
def test_a_witness_follows_the_announced_key(rotated):
    other = open_site("WIT", "Witness")
    assert witnessing.have_cosigned(rotated.jobs) == 2, "the announcement and the newest"
    assert witnessing.last_seen(other.site.pk, keys.key_name(rotated.code)).log_key == keys.key_text(rotated.code, 1)
    rotated.grow()
    assert witnessing.have_cosigned(rotated.jobs) == 1

    assert rotated.verify(witnesses=(witnessing.witness_key_text("WIT"),)).intact


@pytest.mark.req("AUD-08", case="negative")
def test_a_checkpoint_exchanged_after_it_was_cosigned_is_named(rotated):
    open_site("WIT", "Witness")
    witnessing.have_cosigned(rotated.jobs)
    name = "cartulary/WIT/witness"
    with override_settings(KEYS_FOLDER=rotated.folder.parent / "others"):
        strange = witnessing.witness_key_text("WIT")
    assert any("witness's signature" in each.sentence for each in rotated.verify(witnesses=(strange,)).findings.kept)

    with rotated.trail.superuser() as connection:
        connection.execute("UPDATE mes_checkpoint SET note = replace(note, E'\\n3\\n', E'\\n4\\n') WHERE size = 3")

    found = [each for each in rotated.verify(folder="").findings.kept if each.stream.startswith("cosignature:")]
    assert [name in each.sentence and "another than the one" in each.sentence for each in found] == [True]
