"""A superuser who rewrites a whole chain consistently is found against what left the building."""

import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import override_settings

from mes.audit import chain
from mes.checkpoints import anchors
from mes.people.models import Site
from mes.people.setup import system_actor
from mes.verifier import run
from mes.verifier.ed25519 import is_signed


@pytest.fixture
def anchored(trail, tmp_path):
    with override_settings(KEYS_FOLDER=tmp_path / "keys", ANCHORS_FOLDER=tmp_path / "anchors"):
        assert anchors.checkpoint_and_anchor(system_actor(Site.objects.get(pk=trail.place.setup.site_id).pk)) == 1
    yield trail, tmp_path / "anchors"


def _verify(trail, folder):
    return run.verify(trail.database.urls["VERIFY_DATABASE_URL"], folder=str(folder))


def _rewrite(connection, stream: str, reason: str) -> None:
    """Change the first entry's reason and recompute every hash after it, columns, bytes and head alike."""
    entries = connection.execute("SELECT id, canon FROM mes_auditentry WHERE stream = %s ORDER BY seq", [stream]).fetchall()
    previous = chain.GENESIS
    for place, (entry_id, canon) in enumerate(entries):
        said = json.loads(bytes(canon))
        said["prev"] = previous.hex()
        if place == 0:
            said["reason"] = reason
            connection.execute("UPDATE mes_auditentry SET reason = %s WHERE id = %s", [reason, entry_id])
        fresh = chain.entry_canon(said)
        digest = chain.entry_hash(fresh)
        connection.execute("UPDATE mes_auditentry SET canon = %s, prev_hash = %s, hash = %s WHERE id = %s", [fresh, previous, digest, entry_id])
        previous = digest
    connection.execute("UPDATE mes_streamhead SET hash = %s WHERE stream = %s", [previous, stream])


@pytest.mark.req("AUD-08", case="positive")
def test_an_untouched_database_agrees_with_its_anchor(anchored):
    trail, folder = anchored

    assert _verify(trail, folder).intact


@pytest.mark.req("AUD-08", case="negative")
def test_a_consistent_rewrite_is_found_against_the_anchor_only(anchored):
    trail, folder = anchored
    stream = trail.stream("ben")

    with trail.superuser() as connection:
        _rewrite(connection, stream, "a reason nobody gave")

    assert trail.verify().intact, "the chain alone cannot know: that is what anchors are for"
    report = _verify(trail, folder)
    assert {(f.kind, f.stream) for f in report.findings.kept} == {("rewrite", stream)}


@pytest.mark.req("AUD-08", case="negative")
def test_a_removed_checkpoint_is_found(anchored):
    trail, folder = anchored

    with trail.superuser() as connection:
        connection.execute("DELETE FROM mes_anchorreceipt")
        connection.execute("DELETE FROM mes_checkpoint")

    assert any(f.kind == "truncation" and f.stream.startswith("anchor:") for f in _verify(trail, folder).findings.kept)


@pytest.mark.req("AUD-08", case="negative")
def test_an_altered_anchor_file_is_named(anchored):
    trail, folder = anchored
    path = next(folder.rglob("*.checkpoint"))
    os.chmod(path, 0o644)
    path.write_text(path.read_text().replace("\n1\n", "\n2\n", 1))

    assert any(f.kind == "edit" and path.name in f.sentence for f in _verify(trail, folder).findings.kept)


def test_our_own_signature_check_agrees_with_the_library():
    for seed in range(5):
        key = Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
        message = b"checkpoint" * (seed + 1)
        signature, public = key.sign(message), key.public_key().public_bytes_raw()

        assert is_signed(public, message, signature)
        assert not is_signed(public, message + b"x", signature)
        assert not is_signed(public, message, signature[:63] + bytes([signature[63] ^ 1]))
