"""Merkle trees: RFC 6962's vectors, and every proof of every small tree."""

import hashlib

import pytest

from mes.checkpoints import merkle

LEAVES = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
"""The leaves of the reference implementation of Certificate Transparency and their roots by size."""
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def _hashes(count: int) -> list[bytes]:
    return [merkle.leaf_hash(f"leaf {n}".encode()) for n in range(count)]


@pytest.mark.parametrize("size", sorted(ROOTS))
def test_roots_are_those_of_the_reference_implementation(size):
    assert merkle.root([merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert merkle.root([]) == hashlib.sha256(b"").digest()


@pytest.mark.req("AUD-08", case="positive")
@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_a_tree_is_proven_included_and_no_other(size):
    hashes = _hashes(size)
    root = merkle.root(hashes)

    for index in range(size):
        proof = merkle.inclusion_proof(hashes, index)

        assert merkle.verify_inclusion(hashes[index], index, size, proof, root)
        assert not merkle.verify_inclusion(merkle.leaf_hash(b"another"), index, size, proof, root)
        assert not merkle.verify_inclusion(hashes[index], (index + 1) % size, size, proof, root) or size == 1


@pytest.mark.req("AUD-08", case="negative")
@pytest.mark.parametrize("size", range(1, 34))
def test_a_rewritten_past_is_not_consistent(size):
    hashes = _hashes(size)
    root = merkle.root(hashes)

    for earlier in range(1, size + 1):
        proof = merkle.consistency_proof(hashes, earlier)
        rewritten = merkle.root([merkle.leaf_hash(b"rewritten"), *hashes[1:earlier]])

        assert merkle.verify_consistency(earlier, size, merkle.root(hashes[:earlier]), root, proof)
        assert not merkle.verify_consistency(earlier, size, rewritten, root, proof)
