"""Proofs of RFC 6962 trees, checked by their definition (2.1.1 and 2.1.2) and not by how the writer makes them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


class BadProof(ValueError):
    """The proof has not the shape that a tree of this size asks for."""


def leaf_of(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _half(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves. Pairing level by level, the odd one carried up, is the tree of RFC 6962."""
    level = [leaf_of(leaf) for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        paired = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf's hash and its audit path give. Raises BadProof for a path that does not fit."""
    if not 0 <= index < size:
        raise BadProof("there is no such leaf")
    if size == 1:
        if path:
            raise BadProof("the path is too long")
        return leaf
    if not path:
        raise BadProof("the path is too short")
    half = _half(size)
    if index < half:
        return _node(root_from(leaf, index, half, path[:-1]), path[-1])
    return _node(path[-1], root_from(leaf, index - half, size - half, path[:-1]))


def roots_from(earlier: int, size: int, first: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of the earlier and of the whole tree that a consistency proof gives, from the earlier root. Raises BadProof."""
    if not 0 < earlier <= size:
        raise BadProof("there is no such earlier tree")
    return _roots(earlier, size, path, first)


def _roots(earlier: int, size: int, path: Sequence[bytes], whole: bytes | None) -> tuple[bytes, bytes]:
    # `whole` is the earlier root for as long as the subtree asked for is that whole tree; then it is not repeated in the proof.
    if earlier == size:
        if len(path) != (whole is None):
            raise BadProof("the path has not the length that is asked for")
        known = path[0] if whole is None else whole
        return known, known
    if not path:
        raise BadProof("the path is too short")
    half = _half(size)
    if earlier <= half:
        old, new = _roots(earlier, half, path[:-1], whole)
        return old, _node(new, path[-1])
    old, new = _roots(earlier - half, size - half, path[:-1], None)
    return _node(path[-1], old), _node(path[-1], new)


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf's hash stands at an index of the tree of that size and root."""
    try:
        return root_from(leaf, index, size, path) == root
    except BadProof:
        return False


def is_consistent(earlier: int, size: int, first: bytes, second: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree with the first root is the beginning of that with the second."""
    try:
        return roots_from(earlier, size, first, path) == (first, second)
    except BadProof:
        return False
