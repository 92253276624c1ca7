"""As much of DER (ITU-T X.690) as a time-stamp request and its answer need: tags of one byte, definite lengths. Pure."""

from __future__ import annotations

from dataclasses import dataclass

INTEGER, OCTETS, NULL, OID, SEQUENCE, SET, TIME, BOOLEAN = 0x02, 0x04, 0x05, 0x06, 0x30, 0x31, 0x18, 0x01


class NotDER(ValueError):
    """The bytes are not what they should be."""


def write(tag: int, *parts: bytes) -> bytes:
    """One value: tag, length, content."""
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(each) for each in dotted.split("."))
    out = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        out += bytes(reversed(groups))
    return write(OID, bytes(out))


@dataclass(frozen=True)
class Value:
    """One value as read: its tag, its content, and all of its bytes."""

    tag: int
    content: bytes
    raw: bytes

    def items(self) -> list[Value]:
        """The values inside."""
        found, rest = [], self.content
        while rest:
            value = _first(rest)
            found.append(value)
            rest = rest[len(value.raw) :]
        return found

    def inner(self, *tags: int) -> list[Value]:
        """The values inside, of which the first have these tags. Raises NotDER."""
        found = self.items()
        if [each.tag for each in found[: len(tags)]] != list(tags):
            raise NotDER(f"expected the tags {tags}, found {[each.tag for each in found]}")
        return found

    def number(self) -> int:
        if self.tag != INTEGER or not self.content:
            raise NotDER("expected a whole number")
        return int.from_bytes(self.content, signed=True)


def read(data: bytes) -> Value:
    """The one value that the bytes are. Raises NotDER, also for bytes that follow it."""
    value = _first(data)
    if len(value.raw) != len(data):
        raise NotDER("bytes follow the value")
    return value


def _first(data: bytes) -> Value:
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise NotDER("there is no value")
    start, size = 2, data[1]
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or len(data) < 2 + count:
            raise NotDER("a length cannot be read")
        start, size = 2 + count, int.from_bytes(data[2 : 2 + count])
    if len(data) < start + size:
        raise NotDER("a value is cut off")
    return Value(data[0], data[start : start + size], data[: start + size])
