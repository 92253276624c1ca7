"""The smallest honest PNG: eight-bit grey, written and read with the standard library (ISO/IEC 15948)."""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 20_000_000


def write_png(pixels: bytes, width: int, height: int) -> bytes:
    """A PNG of grey pixels, row by row, 0 black to 255 white. Equal pixels give equal bytes. Raises ``ValueError`` when the size is wrong."""
    if width < 1 or height < 1 or len(pixels) != width * height:
        raise ValueError(f"{len(pixels)} pixels are not {width} x {height}")
    rows = b"".join(b"\x00" + pixels[at : at + width] for at in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def read_png(data: bytes) -> tuple[bytes, int, int]:
    """Pixels, width and height of a PNG as ``write_png`` makes it. Raises ``ValueError`` for any other file or a broken checksum."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("not a PNG file")
    at, header, packed = len(_SIGNATURE), b"", b""
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if data[at + 8 + length : at + 12 + length] != struct.pack(">I", zlib.crc32(name + body)):
            raise ValueError("a part of the PNG file is broken")
        header = body if name == b"IHDR" else header
        packed += body if name == b"IDAT" else b""
        at += 12 + length
    if len(header) != 13:
        raise ValueError("the PNG file has no header")
    width, height, *form = struct.unpack(">IIBBBBB", header)
    if form != [8, 0, 0, 0, 0] or width * height > MOST_PIXELS:
        raise ValueError("only eight-bit grey pictures are read")
    rows = _unpacked(packed, (width + 1) * height)
    if len(rows) != (width + 1) * height or any(rows[:: width + 1]):
        raise ValueError("only unfiltered rows are read")
    return b"".join(rows[start + 1 : start + 1 + width] for start in range(0, len(rows), width + 1)), width, height


def _unpacked(packed: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, most + 1)
    except zlib.error:
        raise ValueError("the PNG file cannot be unpacked") from None
