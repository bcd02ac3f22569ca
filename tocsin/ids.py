"""Identifiers: time-ordered for what is created here, derived for what must be the same twice."""

import os
import time
import uuid
from hashlib import sha1

_NAMESPACE = uuid.UUID("6f1d5b1e-3c0a-4a55-9a57-7a0c51b0c0de")


def new_id() -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, then randomness.

    Ordered by time, so ClickHouse's sorting keys compress and Kafka keys still spread.
    """
    millis = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (millis & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same UUID (version 5) for the same parts, on every host, for ever.

    What must not happen twice gets its id from what caused it, so that doing it again after a
    crash makes the same id and is recognised downstream.
    """
    digest = sha1(_NAMESPACE.bytes + "\x1f".join(parts).encode(), usedforsecurity=False).digest()
    value = int.from_bytes(digest[:16], "big") & ~(0xF << 76) & ~(0x3 << 62) | 5 << 76 | 2 << 62
    # as str(uuid.uuid5(...)) would be, at a quarter of its cost
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
