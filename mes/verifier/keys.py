"""Public keys of a site, as it gives them to others: lines of name+id+base64 (C2SP), the id being SHA-256(name, newline, key), first 4 bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from .ed25519 import is_signed


class BadKey(ValueError):
    """A line that is no public key."""


@dataclass
class Keys:
    """Keys by name. A site may have had several of one name: any of them may have signed."""

    by_name: dict[str, list[bytes]] = field(default_factory=dict)

    def signed(self, name: str, message: bytes, signature: bytes) -> bool:
        """Whether one of the keys of that name made the signature."""
        return any(is_signed(key, message, signature) for key in self.by_name.get(name, ()))

    def named(self) -> list[str]:
        return [f"{name} {hashlib.sha256(key).hexdigest()[:16]}" for name, several in sorted(self.by_name.items()) for key in several]


def read(lines: Iterable[str]) -> Keys:
    """The keys in these lines. Raises BadKey for a line that is none."""
    keys = Keys()
    for line in lines:
        if not line.strip():
            continue
        try:
            name, mark, text = line.strip().split("+", 2)
            raw = base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadKey(f"no public key: {line.strip()[:60]}") from error
        if len(raw) != 33 or raw[0] != 1 or hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] != mark:
            raise BadKey(f"the key of {name} does not fit its id {mark}")
        keys.by_name.setdefault(name, []).append(raw[1:])
    return keys
