"""Identifiers: time-ordered for what is created here, derived for what must be the same twice, and
marked for what must be known as ours though no store has heard of it yet."""

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


def marked(made: str) -> str:
    """The same UUID with a check of itself in its last 16 bits, so that `is_marked` knows it.

    Not a secret, and no proof against anyone who wants to deceive: it tells an id that was given
    out here from a typing error or somebody else's id, but for one in 65,536.
    """
    return made[:-4] + _check(made[:-4])


def is_marked(text: str) -> bool:
    """Whether this is an id of `marked`."""
    return len(text) == 36 and text[-4:] == _check(text[:-4])


def _check(text: str) -> str:
    return sha1(_NAMESPACE.bytes + text.encode(), usedforsecurity=False).hexdigest()[:4]
