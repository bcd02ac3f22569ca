"""When a failed attempt is tried again. Pure; the caller brings the randomness."""

from typing import Final

from streams.policy import ATTEMPTS
from tocsin.records import Delivery
from tocsin.topics import RETRY_LONG, RETRY_MEDIUM, RETRY_SHORT, Topic

SHORT, MEDIUM, LONG = 2.0, 30.0, 300.0
"""Bounds in seconds of what the three retry topics hold. What is due in two seconds never stands
behind what is due in five minutes."""

BASE: Final = 1.0
CAP: Final = 300.0
"""Longest wait, also of a provider's Retry-After: a hostile or huge one must not park a message."""


def tier(wait: float) -> Topic:
    """The retry topic for a wait in seconds; beyond LONG a delivery goes round again."""
    if wait <= SHORT:
        return RETRY_SHORT
    return RETRY_MEDIUM if wait <= MEDIUM else RETRY_LONG


def next_wait(attempt: int, retry_after: float | None, chance: float) -> float:
    """Seconds to wait after attempt number `attempt` (from 1): exponential, full jitter.

    `chance` is uniform in [0, 1). A Retry-After is a floor, spread by up to a quarter so that those
    told the same do not come back together.
    """
    jitter = chance * min(CAP, BASE * 2.0 ** min(attempt, 20))
    if retry_after is None:
        return jitter
    return min(CAP, max(jitter, max(0.0, retry_after) * (1 + chance / 4)))


def exhausted(delivery: Delivery) -> bool:
    """Whether this attempt was the last its priority allows."""
    return delivery.attempt >= ATTEMPTS[delivery.priority]
