"""Sites as each other's witnesses: a co-signature for a log that grew, none for a log with two histories."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from mes.checkpoints import anchors, cosigned, keys, merkle, notes, services, witnessing
from mes.checkpoints.models import AnchorReceipt, Witnessed
from mes.errors import NotAllowed, RuleBroken
from mes.people import services as people
from mes.people.setup import system_actor
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.staff import open_site

pytestmark = pytest.mark.django_db


class Two:
    """A site with a log and a site that witnesses it."""

    def __init__(self):
        self.a, self.b = open_site("AAA", "Site A"), open_site("BBB", "Site B")
        self.log, self.witness = system_actor(self.a.site.pk), system_actor(self.b.site.pk)
        self.count = 0
        self.grow()

    def grow(self):
        self.count += 1
        people.enrol_person(by=self.a.setup, username=f"grown{self.count}", full_name="Somebody Made Up")
        return services.take_checkpoint(by=self.log)

    def receipts(self):
        with site_context(self.a.site.pk):
            return list(AnchorReceipt.objects.filter(kind=witnessing.COSIGNED).select_related("checkpoint").order_by("checkpoint__size"))

    def seen(self):
        return witnessing.last_seen(self.b.site.pk, "cartulary/AAA")

    def forged(self, size: int, root: bytes) -> str:
        """A checkpoint that whoever holds the log's key could sign."""
        return notes.sign(notes.Checkpoint("cartulary/AAA", size, root, ("snapshot AAAA 1",)), "cartulary/AAA", keys.site_key("AAA"))


@pytest.fixture
def two(settings, tmp_path):
    settings.KEYS_FOLDER, settings.COSIGN = tmp_path / "keys", True
    return Two()


def refused(code: str, call, *args, **kwargs) -> RuleBroken:
    with pytest.raises(RuleBroken) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code, caught.value.sentence
    return caught.value


@pytest.mark.req("AUD-08", case="positive")
def test_a_growing_log_is_cosigned_by_the_other_site_and_the_receipt_kept(two):
    assert witnessing.have_cosigned(two.log) == 1
    assert witnessing.have_cosigned(two.log) == 0, "what is co-signed is not asked for again"
    two.grow(), two.grow()
    assert witnessing.have_cosigned(two.log) == 1

    assert [each.checkpoint.size for each in two.receipts()] == [1, 3]
    note = bytes(two.receipts()[-1].content).decode()
    at = cosigned.read(note, *cosigned.read_key(witnessing.witness_key_text("BBB")))
    assert abs((at - two.seen().recorded_at).total_seconds()) < 5
    assert notes.read(note, *notes.read_key(keys.key_text("AAA"))).size == 3, "the log's own signature is still there"
    assert witnessing.COSIGNED in anchors.kinds()


@pytest.mark.req("AUD-08", case="negative")
def test_a_witness_never_signs_two_histories(two):
    two.grow(), two.grow()
    witnessing.have_cosigned(two.log)
    other = [merkle.leaf_hash(f"another past {n}".encode()) for n in range(5)]
    growth = merkle.consistency_proof(other, 3)
    attempts = [(3, merkle.root(other[:3]), []), (5, merkle.root(other), growth), (5, merkle.root(other), []), (2, merkle.root(other[:2]), [])]

    for size, root, proof in attempts:
        code = "log_shrank" if size < 3 else "log_forked"
        assert refused(code, services.cosign, by=two.witness, note=two.forged(size, root), since=3, proof=proof).security == "log_refused"

    assert two.seen().size == 3
    with site_context(two.b.site.pk):
        assert Witnessed.objects.count() == 1
        assert SecurityEvent.objects.filter(kind="log_refused").count() == len(attempts)


@pytest.mark.req("AUD-08", case="negative")
def test_a_request_that_skips_what_was_seen_is_refused_with_the_size(two):
    witnessing.have_cosigned(two.log)
    two.grow()
    (request,) = witnessing.requests(two.log, 0)

    assert refused("other_last_size", witnessing.answer, two.witness, request).detail == {"size": 1}


@pytest.mark.req("AUD-08", case="negative")
def test_a_note_of_another_key_is_not_cosigned(two):
    (request,) = witnessing.requests(two.log, 0)
    stranger = notes.verifier_text("cartulary/AAA", Ed25519PrivateKey.generate().public_key())

    refused("note_refused", witnessing.answer, two.witness, request, stranger)
    refused("note_refused", witnessing.answer, two.witness, request, "")
    refused("no_request", witnessing.answer, two.witness, "old x\n\nnote")
    assert two.seen() is None


@pytest.mark.req("AUD-08", case="negative")
def test_what_the_witness_did_not_sign_is_not_kept(two):
    (request,) = witnessing.requests(two.log, 0)
    note = witnessing.answer(two.witness, request, keys.key_text("AAA"))
    key = witnessing.witness_key_text("BBB")

    refused("not_cosigned", witnessing.keep, two.log, cosigned.read_request(request)[2], key)
    refused("not_cosigned", witnessing.keep, two.log, note, witnessing.witness_key_text("CCC"))
    refused("not_cosigned", witnessing.keep, two.log, note.replace("\n1\n", "\n2\n", 1), key)
    forged = cosigned.cosign(two.forged(1, bytes(32)), "cartulary/BBB/witness", keys.witness_key("BBB"), two.log and two.seen().recorded_at)
    refused("cosigned_other_past", witnessing.keep, two.log, forged, key)
    assert two.receipts() == []


@pytest.mark.req("AUD-08", case="negative")
def test_a_person_cosigns_nothing(two):
    person = two.b.actor(two.b.person("dba", "administrator"))
    (request,) = witnessing.requests(two.log, 0)

    with pytest.raises(NotAllowed) as caught:
        witnessing.answer(person, request, keys.key_text("AAA"))
    assert caught.value.code == "cosigned_by_person"


@pytest.mark.req("AUD-08", case="positive")
def test_notes_are_carried_over_and_back_as_files(two, tmp_path, capsys):
    def run(*words) -> list[str]:
        call_command("cosign", *[str(word) for word in words])
        return capsys.readouterr().out.split()

    (witness,) = run("key", "--site", "BBB")
    for size in (1, 2):
        requests = run("ask", "--site", "AAA", "--witness", witness, "--output", tmp_path / "out")
        answers = run("answer", "--site", "BBB", "--key", keys.key_text("AAA"), *requests)
        assert len(answers) == 1 and "kept" in run("keep", "--site", "AAA", "--witness", witness, *answers)
        assert two.receipts()[-1].checkpoint.size == size
        two.grow()

    with pytest.raises(CommandError, match="saw cartulary/AAA last at size 2"):
        run("answer", "--site", "BBB", tmp_path / "out" / "AAA-00000000-001.request")
    with pytest.raises(CommandError, match="no site"):
        run("key", "--site", "ZZZ")


def test_without_the_setting_no_site_is_asked(two, settings):
    settings.COSIGN = False

    assert witnessing.have_cosigned(two.log) == 0 and two.seen() is None
