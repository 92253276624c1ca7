"""Checkpoints of a site: taken, signed, anchored, proven from the head of one stream to the signed root."""

import pytest
from django.test import override_settings

from mes.audit.models import AuditEntry
from mes.checkpoints import anchors, keys, merkle, notes, services
from mes.checkpoints.models import AnchorReceipt, Checkpoint
from mes.errors import NotAllowed
from mes.people import services as people
from mes.people.setup import open_first_site, system_actor
from mes.records.context import site_context

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(tmp_path):
    with override_settings(KEYS_FOLDER=tmp_path / "keys", ANCHORS_FOLDER=tmp_path / "anchors"):
        site, by = open_first_site(
            code="CKP", name="Checkpoint test site", kind="point_of_care", time_zone="UTC", jurisdiction="EU", demo=True, roles={"r": ("R", ["mes.read_audit"])}
        )
        yield site, by, system_actor(site.pk)


def _said(site) -> notes.Checkpoint:
    with site_context(site.pk):
        note = Checkpoint.objects.order_by("-size").first().note
    return notes.read(note, keys.key_name(site.code), keys.site_key(site.code).public_key())


@pytest.mark.req("AUD-08", case="positive")
def test_a_stream_head_is_proven_in_the_snapshot_and_the_snapshot_in_the_signed_log(site):
    site, setup, jobs = site
    services.take_checkpoint(by=jobs)
    person = people.enrol_person(by=setup, username="somebody", full_name="Somebody Made Up")
    services.take_checkpoint(by=jobs)
    with site_context(site.pk):
        first, second = Checkpoint.objects.order_by("size")
        head = AuditEntry.objects.filter(stream=f"person:{person.pk}").order_by("-seq").first()
        lines = bytes(second.snapshot).decode().splitlines()

    line = f"{head.stream} {head.seq} {bytes(head.hash).hex()}"
    hashes = [merkle.leaf_hash(each.encode()) for each in lines]
    leaves = [merkle.leaf_hash(bytes(c.leaf)) for c in (first, second)]

    said = _said(site)
    index = lines.index(line)
    in_snapshot = merkle.inclusion_proof(hashes, index)
    assert merkle.verify_inclusion(merkle.leaf_hash(line.encode()), index, len(lines), in_snapshot, bytes(second.snapshot_root))
    assert bytes(second.snapshot_root).hex().encode() in bytes(second.leaf)
    assert merkle.verify_inclusion(leaves[1], 1, said.size, merkle.inclusion_proof(leaves, 1), said.root)
    assert merkle.verify_consistency(1, 2, bytes(first.log_root), said.root, merkle.consistency_proof(leaves, 1))


def test_nothing_new_takes_no_checkpoint(site):
    _, _, jobs = site
    services.take_checkpoint(by=jobs)

    assert services.take_checkpoint(by=jobs) is None


@pytest.mark.req("AUD-08", case="negative")
def test_a_person_takes_no_checkpoint(site):
    _, setup, jobs = site
    person = people.enrol_person(by=setup, username="dba", full_name="Made Up Administrator")

    with pytest.raises(NotAllowed) as refused:
        services.take_checkpoint(by=jobs.__class__(person.pk, "dba", "Made Up Administrator", jobs.site_id))

    assert refused.value.code == "checkpoint_by_person"


def test_an_anchor_is_written_once_and_found_altered(site, tmp_path):
    site, _, jobs = site
    assert anchors.checkpoint_and_anchor(jobs) == 1
    path = tmp_path / "anchors" / "CKP" / "00000001.checkpoint"
    assert notes.read(path.read_text(), keys.key_name("CKP"), keys.site_key("CKP").public_key()).size == 1
    assert path.stat().st_mode & 0o222 == 0

    path.chmod(0o644)
    path.write_text("something else")
    with site_context(site.pk):
        assert AnchorReceipt.objects.count() == 1

    with pytest.raises(FileExistsError):
        anchors._write_once(path, b"what is to be anchored")
