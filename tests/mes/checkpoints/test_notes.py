"""Signed checkpoints: read back, and refused after one changed byte."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mes.checkpoints.notes import Checkpoint, NoteRefused, read, sign, verifier_text

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "cartulary.invalid/DEMO"
SAID = Checkpoint("cartulary.invalid/DEMO", 3, bytes(32), ("snapshot AAAA",))


@pytest.mark.req("AUD-08", case="positive")
def test_a_signed_checkpoint_reads_back_what_it_says():
    assert read(sign(SAID, NAME, KEY), NAME, KEY.public_key()) == SAID


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize(("old", "new"), [("\n3\n", "\n4\n"), ("snapshot AAAA", "snapshot BAAA"), ("DEMO\n3", "OTHER\n3")])
def test_a_changed_checkpoint_is_refused(old, new):
    with pytest.raises(NoteRefused):
        read(sign(SAID, NAME, KEY).replace(old, new), NAME, KEY.public_key())


def test_another_key_signs_nothing_for_this_one():
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))

    with pytest.raises(NoteRefused):
        read(sign(SAID, NAME, other), NAME, KEY.public_key())


def test_the_key_is_named_as_others_tools_take_it():
    name, identifier, _ = verifier_text(NAME, KEY.public_key()).split("+", 2)

    assert (name, len(identifier)) == (NAME, 8)
