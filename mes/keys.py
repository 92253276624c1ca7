"""UUIDv7 keys (RFC 9562, 5.7): rows of many sites merge without renumbering, and new rows stay near each other on disk."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new UUIDv7, strictly increasing within this process (12 bits of sub-millisecond order, 62 random bits)."""
    global _last
    with _lock:
        stamp = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = stamp
    milliseconds, fraction = stamp >> 12, stamp & 0xFFF
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(
        int=(milliseconds << 80) | (7 << 76) | (fraction << 64) | (2 << 62) | random
    )
