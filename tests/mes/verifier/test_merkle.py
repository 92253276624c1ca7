"""The verifier's own reading of RFC 6962: against proofs made by the RFC's definition here, and against what the product makes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.checkpoints import merkle as product
from mes.verifier import merkle


def h(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if len(leaves) < 2:
        return h(b"\x00", leaves[0]) if leaves else h()
    k = max(2**n for n in range(30) if 2**n < len(leaves))
    return h(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = max(2**n for n in range(30) if 2**n < len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], b: bool) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    n = len(leaves)
    if m == n:
        return [] if b else [mth(leaves)]
    k = max(2**e for e in range(30) if 2**e < n)
    if m <= k:
        return [*subproof(m, leaves[:k], b), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


#: The leaves of the reference implementation of Certificate Transparency.
REFERENCE = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
ROOT_8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
#: Its published audit paths (leaf index, tree size) and consistency proofs (earlier, later size).
PATHS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
GROWTH = {
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}

trees = st.lists(st.binary(max_size=6), min_size=1, max_size=70)


@pytest.mark.req("AUD-08", case="positive")
def test_published_proofs_hold():
    assert mth(REFERENCE).hex() == ROOT_8 == merkle.root_of(REFERENCE).hex()
    for (index, size), proof in PATHS.items():
        assert [each.hex() for each in path(index, REFERENCE[:size])] == proof
        assert merkle.is_included(merkle.leaf_of(REFERENCE[index]), index, size, [bytes.fromhex(each) for each in proof], mth(REFERENCE[:size]))
    for (earlier, size), proof in GROWTH.items():
        assert [each.hex() for each in subproof(earlier, REFERENCE[:size], True)] == proof
        assert merkle.is_consistent(earlier, size, mth(REFERENCE[:earlier]), mth(REFERENCE[:size]), [bytes.fromhex(each) for each in proof])


@given(trees, st.data())
def test_every_proof_by_the_definition_is_taken_and_is_the_one_the_product_makes(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    earlier = data.draw(st.integers(1, len(leaves)))
    hashes = [merkle.leaf_of(leaf) for leaf in leaves]
    root = mth(leaves)

    assert merkle.root_of(leaves) == root == product.root(hashes)
    assert product.inclusion_proof(hashes, index) == path(index, leaves)
    assert product.consistency_proof(hashes, earlier) == subproof(earlier, leaves, True)
    assert merkle.is_included(hashes[index], index, len(leaves), path(index, leaves), root)
    assert merkle.is_consistent(earlier, len(leaves), mth(leaves[:earlier]), root, subproof(earlier, leaves, True))


@pytest.mark.req("AUD-08", case="negative")
@given(trees, st.data())
def test_no_spoilt_proof_is_taken(leaves, data):
    index, earlier = data.draw(st.integers(0, len(leaves) - 1)), data.draw(st.integers(1, len(leaves)))
    root, leaf = mth(leaves), merkle.leaf_of(leaves[index])
    inclusion, growth = path(index, leaves), subproof(earlier, leaves, True)

    def spoil(proof: list[bytes]) -> list[bytes]:
        kind = data.draw(st.sampled_from(["longer", *(["shorter", "bit"] if proof else [])]))
        if kind == "longer":
            return [*proof, bytes(32)]
        if kind == "shorter":
            return proof[:-1]
        place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        changed = (int.from_bytes(proof[place]) ^ (1 << bit)).to_bytes(32)
        return [*proof[:place], changed, *proof[place + 1 :]]

    assert not merkle.is_included(leaf, index, len(leaves), spoil(inclusion), root)
    assert not merkle.is_included(merkle.leaf_of(b"something else"), index, len(leaves), inclusion, root)
    assert not merkle.is_included(leaf, len(leaves), len(leaves), inclusion, root)
    assert not merkle.is_consistent(earlier, len(leaves), mth(leaves[:earlier]), root, spoil(growth))
    assert not merkle.is_consistent(earlier, len(leaves), mth([b"rewritten past", *leaves[1:earlier]]), root, growth)
    assert not merkle.is_consistent(0, len(leaves), mth([]), root, growth)
