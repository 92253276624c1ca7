"""Tokens kept with checkpoints, checked by the verifier: what they are about, and by openssl who signed them."""

import shutil

import pytest
from django.test import override_settings

from mes.checkpoints import anchors
from mes.people.setup import system_actor
from mes.verifier import run, timestamps
from mes.verifier.database import CannotVerify
from tests.builders.authority import Authority

CURVE = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
"""Made in no time."""


@pytest.fixture
def stamped(trail, tmp_path):
    """A trail with one time-stamped checkpoint, and the authority."""
    authority = Authority(tmp_path / "tsa", key=CURVE)
    with override_settings(KEYS_FOLDER=tmp_path / "keys", TSA_URL=authority.url, TSA_CERTIFICATES=str(authority.certificates)):
        jobs = system_actor(trail.place.site.pk)
        anchors.checkpoint_and_anchor(jobs)
        assert anchors.timestamp_newest(jobs) == 1
    authority.stop()
    return trail, authority


def verify(trail, tsa: str = ""):
    return run.verify(trail.database.urls["VERIFY_DATABASE_URL"], trust=run.Trust(tsa=tsa))


@pytest.mark.req("AUD-08", case="positive")
def test_a_kept_token_holds_with_and_without_its_authority(stamped):
    trail, authority = stamped

    assert verify(trail).intact
    assert verify(trail, str(authority.certificates)).intact


@pytest.mark.req("AUD-08", case="negative")
def test_a_checkpoint_rewritten_after_its_token_is_named(stamped):
    trail, _ = stamped
    with trail.superuser() as connection:
        connection.execute("UPDATE mes_checkpoint SET note = replace(note, E'\\n1\\n', E'\\n2\\n')")

    sentences = [each.sentence for each in verify(trail).findings.kept if each.stream.startswith("timestamp:")]
    assert len(sentences) == 1 and "about something else than the checkpoint" in sentences[0]


MOVED = (
    "UPDATE mes_auditentry SET wall = wall + %s::interval WHERE id = (SELECT r.entry_id FROM mes_auditrow r WHERE r.\"table\" = %s"
    " AND r.row_id IN (SELECT id FROM mes_checkpoint UNION ALL SELECT id FROM mes_anchorreceipt WHERE kind = 'timestamp'))"
)


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize(
    ("row", "by", "words"),
    [
        ("mes_checkpoint", "2 minutes", "is older than the checkpoint"),
        ("mes_checkpoint", "-25 hours", "came later than a day after the checkpoint"),
        ("mes_anchorreceipt", "-2 minutes", "is younger than its coming"),
    ],
)
def test_a_token_of_another_time_than_its_checkpoint_is_named(stamped, row, by, words):
    trail, _ = stamped

    def told():
        return [each.sentence for each in verify(trail).findings.kept if each.stream.startswith("timestamp:")]

    with trail.superuser() as connection:
        connection.execute(MOVED, ["30 seconds" if by[0] != "-" else "-30 seconds", row])
    assert told() == [], "two clocks are never quite the same"
    with trail.superuser() as connection:
        assert connection.execute(MOVED, [by, row]).rowcount == 1
    (sentence,) = told()
    assert words in sentence


@pytest.mark.req("AUD-08", case="negative")
def test_no_token_is_asked_for_a_checkpoint_that_waited_for_more_than_a_day(trail, tmp_path):
    authority = Authority(tmp_path / "tsa", key=CURVE)
    with override_settings(KEYS_FOLDER=tmp_path / "keys", TSA_URL=authority.url, TSA_CERTIFICATES=str(authority.certificates)):
        jobs = system_actor(trail.place.site.pk)
        anchors.checkpoint_and_anchor(jobs)
        with trail.superuser() as connection:
            connection.execute(MOVED, ["-25 hours", "mes_checkpoint"])
        assert (anchors.timestamp_newest(jobs), authority.asked) == (0, 0)
    authority.stop()


@pytest.mark.req("AUD-08", case="negative")
def test_an_exchanged_or_unreadable_token_is_named(stamped):
    trail, _ = stamped
    with trail.superuser() as connection:
        connection.execute("UPDATE mes_anchorreceipt SET content = 'x', sha256 = encode(sha256('x'), 'hex') WHERE kind = 'timestamp'")
    assert any("cannot be read" in each.sentence for each in verify(trail).findings.kept)

    with trail.superuser() as connection:
        connection.execute("UPDATE mes_anchorreceipt SET content = 'y' WHERE kind = 'timestamp'")
    assert any("is not the one that came" in each.sentence for each in verify(trail).findings.kept)


@pytest.mark.req("AUD-08", case="negative")
def test_a_token_of_somebody_else_is_named_when_the_authority_is_given(stamped, tmp_path):
    trail, _ = stamped
    stranger = Authority(tmp_path / "stranger", "Stranger", key=CURVE)
    stranger.stop()

    report = verify(trail, str(stranger.certificates))

    assert ["is not signed by the authority" in each.sentence for each in report.findings.kept] == [True]


def test_without_openssl_a_signature_is_not_said_to_be_checked(stamped, monkeypatch):
    trail, authority = stamped
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(CannotVerify, match="openssl"):
        verify(trail, str(authority.certificates))


@pytest.mark.req("AUD-08", case="positive")
def test_whose_signature_was_not_checked_is_said_in_the_verdict(stamped):
    trail, authority = stamped
    assert "the signatures of 1 time-stamp (--tsa)" in verify(trail).unchecked
    assert not any("time-stamp" in each for each in verify(trail, str(authority.certificates)).unchecked)


@pytest.mark.parametrize("bytes_", [b"", b"0", bytes(40), b"\x30\x02\x05\x00"])
def test_bytes_that_are_no_token_are_told_apart(bytes_):
    with pytest.raises(timestamps.NoToken):
        timestamps.imprint(bytes_)
    with pytest.raises(timestamps.NoToken):
        timestamps.stated(bytes_)
