"""The container of an evidence file, read strictly: a zip whose bytes are exactly those that its members give.

A byte that changes nothing of a member is still a changed byte. The members are read past the container's own check sums, so that a change
inside one is named where it is, and then the whole container is built again and compared.
"""

from __future__ import annotations

import io
import struct
import zipfile

DATE = (1980, 1, 1, 0, 0, 0)
LOCAL = struct.Struct("<4s5H3I2H")


class Broken(ValueError):
    """The container cannot be read at all."""


def members(data: bytes) -> dict[str, bytes]:
    """Name to bytes, in the order of the container. Raises Broken."""
    try:
        infos = zipfile.ZipFile(io.BytesIO(data)).infolist()
        found = {}
        for info in infos:
            *_, name_length, extra_length = LOCAL.unpack_from(data, info.header_offset)
            start = info.header_offset + LOCAL.size + name_length + extra_length
            content = data[start : start + info.file_size]
            if info.filename in found or len(content) != info.file_size:
                raise Broken(f"its member {info.filename} is there twice or cut off")
            found[info.filename] = content
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError, UnicodeError) as error:
        raise Broken(str(error)) from error
    return found


def first_difference(data: bytes, found: dict[str, bytes]) -> int | None:
    """Where the container differs from the one that its members give; None when it is the same."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in found.items():
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    built = target.getvalue()
    if built == data:
        return None
    return next((place for place, (one, other) in enumerate(zip(data, built, strict=False)) if one != other), min(len(data), len(built)))
