"""A lot's place in a signed checkpoint, taken along over the API and checked with the site's key alone."""

import json

import pytest

from mes.checkpoints import keys, notes, services
from mes.people import services as people
from mes.people.setup import system_actor
from mes.verifier import inclusion, merkle, run
from mes.verifier import notes as verifier_notes
from tests.builders.staff import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(place, settings, tmp_path):
    """A person's stream in the second of three checkpoints; a client that may read the trail."""
    settings.KEYS_FOLDER = tmp_path / "keys"
    jobs = system_actor(place.site.pk)
    services.take_checkpoint(by=jobs)
    person = people.enrol_person(by=place.setup, username="proven", full_name="Somebody Proven")
    services.take_checkpoint(by=jobs)
    people.enrol_person(by=place.setup, username="later", full_name="Somebody Later")
    services.take_checkpoint(by=jobs)
    key = notes.verifier_text(keys.key_name(place.site.code), keys.site_key(place.site.code).public_key())
    client = signed_in(place.person("ines", "supervisor"))
    return client, f"/api/v1/audit/streams/person/{person.pk}/inclusion-proof/", key


@pytest.mark.req("AUD-08", case="positive")
@pytest.mark.parametrize("query", ["", "?at=2"])
def test_a_proof_holds_with_the_sites_key_and_nothing_else(sealed, query, tmp_path, capsys):
    client, address, key = sealed
    proof = client.get(address + query).json()

    assert "stood at entry 1 with hash" in inclusion.check(proof, key)
    assert f"in checkpoint {2 if query else 3} of" in inclusion.check(proof, key)
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    assert run.main(["--proof", str(tmp_path / "proof.json"), "--key", key]) == run.INTACT
    assert "stood at entry 1" in capsys.readouterr().out
    assert run.main(["--proof", str(tmp_path / "proof.json")]) == run.NOT_CHECKED, "a key from the proof itself would prove nothing"


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize("spoilt", ["stream", "seq", "hash", "leaf", "snapshot", "log", "note", "key"])
def test_a_proof_with_anything_changed_does_not_hold(sealed, spoilt, tmp_path):
    client, address, key = sealed
    proof = client.get(address + "?at=2").json()
    if spoilt in ("snapshot", "log"):
        proof[spoilt]["proof"][0] = "00" * 32
    elif spoilt == "leaf":
        proof["leaf"] = proof["leaf"].replace('"at":"2', '"at":"3', 1)
    elif spoilt == "note":
        proof["note"] = proof["note"].replace("\n3\n", "\n4\n", 1)
    elif spoilt == "key":
        key = notes.verifier_text(key.split("+")[0], keys.site_key("ANOTHER").public_key())
    else:
        proof[spoilt] = {"stream": f"person:{'0' * 36}", "seq": "2", "hash": "0" * 64}[spoilt]

    with pytest.raises(inclusion.NotProven):
        inclusion.check(proof, key)
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    assert run.main(["--proof", str(tmp_path / "proof.json"), "--key", key]) == run.BROKEN


@pytest.mark.req("AUD-08", case="positive")
def test_the_log_is_shown_to_have_only_grown(sealed):
    client, _, key = sealed
    one, three = client.get("/api/v1/audit/checkpoint/").json(), client.get("/api/v1/audit/checkpoint/?since=3").json()
    said = verifier_notes.read(one["note"], verifier_notes.read_key(key))

    assert (one["since"], one["size"], three["proof"]) == (1, 3, [])
    first = merkle.leaf_of(b"whatever the first was")
    old, new = merkle.roots_from(1, 3, first, [bytes.fromhex(each) for each in one["proof"]])
    assert new != said.root and old == first, "another first leaf does not lead to the signed root"


def test_who_may_not_read_the_trail_gets_no_proof(sealed, place):
    _, address, _ = sealed

    assert signed_in(place.person("maya", "operator")).get(address).status_code == 403


def test_what_no_checkpoint_holds_is_said_to_be_missing(sealed):
    client, address, _ = sealed

    assert client.get(address + "?at=1").json()["code"] == "not_in_checkpoint"
    assert client.get(address + "?at=9").status_code == 404
    assert client.get(address + "?at=-1").json()["code"] == "not_a_size"
    assert client.get("/api/v1/audit/checkpoint/?since=7").json()["code"] == "no_such_size"
