"""Checking a signature by a COSE key (RFC 9052, 9053, 8812) with the standard library alone: ES256, EdDSA (Ed25519), RS256.

For verifying only: not constant in time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from . import ed25519

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""The curve P-256 (FIPS 186-5, SP 800-186): y² = x³ - 3x + B over P, with its base point of order N."""

SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 before the digest (RFC 8017, 9.2)."""

Point = tuple[int, int] | None
"""None is the point at infinity."""


class NoKey(ValueError):
    """Bytes that are no COSE key of these kinds."""


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key made the signature of the message. Raises NoKey."""
    key = read_key(public_key)
    check = CHECKS.get((key.get(1), key.get(3)))
    if check is None:
        raise NoKey("it is a key of another kind")
    return check(key, message, signature)


# --- the key ----------------------------------------------------------------------------------------------------------


def read_key(raw: bytes) -> dict[int, int | bytes]:
    """The members of a COSE key: a map of whole numbers to whole numbers or bytes, and nothing behind it. Raises NoKey."""
    try:
        key, at = {}, 1
        if raw[0] >> 5 != 5 or raw[0] & 31 > 23:
            raise NoKey("it is no map")
        for _ in range(raw[0] & 31):
            name, at = _item(raw, at)
            key[name], at = _item(raw, at)
    except IndexError as error:
        raise NoKey("it ends too early") from error
    if at != len(raw):
        raise NoKey("something stands behind it")
    return key


def _item(raw: bytes, at: int) -> tuple[int | bytes, int]:
    """One item of CBOR (RFC 8949) and where the next begins."""
    kind, number, at = raw[at] >> 5, raw[at] & 31, at + 1
    if number > 23:
        if number > 26:
            raise NoKey("it holds a number that no key has")
        size = 1 << (number - 24)
        number, at = int.from_bytes(raw[at : at + size], "big"), at + size
        if at > len(raw):
            raise IndexError
    if kind in (0, 1):
        return (number if kind == 0 else -1 - number), at
    if kind != 2 or at + number > len(raw):
        raise NoKey("it holds what no key has")
    return raw[at : at + number], at + number


# --- ES256 ------------------------------------------------------------------------------------------------------------


def _es256(key: dict, message: bytes, signature: bytes) -> bool:
    x, y = (int.from_bytes(_bytes(key, name, 32), "big") for name in (-2, -3))
    if key.get(-1) != 1 or x >= P or y >= P or (y * y - (x * x * x - 3 * x + B)) % P:
        raise NoKey("its point is not on the curve P-256")
    try:
        r, s = _two_numbers(signature)
    except (ValueError, IndexError):
        return False
    if not (0 < r < N and 0 < s < N):
        return False
    digest, inverse = int.from_bytes(hashlib.sha256(message).digest(), "big"), pow(s, -1, N)
    found = _add(_times(digest * inverse % N, G), _times(r * inverse % N, (x, y)))
    return found is not None and found[0] % N == r


def _two_numbers(der: bytes) -> tuple[int, int]:
    """SEQUENCE of two INTEGERs in DER. Raises ValueError for anything else."""
    if der[0] != 0x30 or der[1] != len(der) - 2 or der[1] > 127:
        raise ValueError("no sequence")
    numbers, at = [], 2
    while at < len(der):
        size = der[at + 1]
        value = der[at + 2 : at + 2 + size]
        if der[at] != 2 or size > 33 or not value or len(value) != size or value[0] > 127 or (size > 1 and value[0] == 0 and value[1] < 128):
            raise ValueError("no whole number")
        numbers.append(int.from_bytes(value, "big"))
        at += 2 + size
    r, s = numbers
    return r, s


def _add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(scalar: int, point: Point) -> Point:
    result: Point = None
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


# --- the other two ----------------------------------------------------------------------------------------------------


def _eddsa(key: dict, message: bytes, signature: bytes) -> bool:
    if key.get(-1) != 6:
        raise NoKey("it is of another curve than Ed25519")
    return ed25519.is_signed(_bytes(key, -2, 32), message, signature)


def _rs256(key: dict, message: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2): the padding is made anew and compared, never read."""
    n, e = (int.from_bytes(_bytes(key, name), "big") for name in (-1, -2))
    if n.bit_length() < 2048 or e < 3 or not e & 1:
        raise NoKey("it is too weak a key")
    size = (n.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= n:
        return False
    told = SHA256_INFO + hashlib.sha256(message).digest()
    return pow(number, e, n).to_bytes(size, "big") == b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told


def _bytes(key: dict, name: int, size: int = 0) -> bytes:
    value = key.get(name)
    if not isinstance(value, bytes) or (size and len(value) != size):
        raise NoKey("a part of it is missing")
    return value


#: By kind of key and algorithm.
CHECKS: dict[tuple, Callable[[dict, bytes, bytes], bool]] = {(2, -7): _es256, (1, -8): _eddsa, (3, -257): _rs256}
