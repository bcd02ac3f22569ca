"""When a failed attempt is tried again. Pure; the caller brings the randomness."""

from datetime import datetime, timedelta
from typing import Final

from streams.rules import Rules
from tocsin.records import Delivery, Lane
from tocsin.topics import RETRIES, RETRIES_HIGH, Topic

HOLDS: Final = (2.0, 30.0, 300.0)
"""Bounds in seconds of what the three retry topics of a lane hold. What is due in two seconds never
stands behind what is due in five minutes."""

BASE: Final = 1.0
CAP: Final = 300.0
"""Longest wait, also of a provider's Retry-After: a hostile or huge one must not park a message."""


def tier(wait: float, lane: Lane) -> Topic:
    """The retry topic for a wait in seconds; beyond the longest a delivery goes round again."""
    topics = RETRIES_HIGH if lane is Lane.HIGH else RETRIES
    return next((t for t, hold in zip(topics, HOLDS, strict=True) if wait <= hold), topics[-1])


def next_wait(attempt: int, retry_after: float | None, chance: float) -> float:
    """Seconds to wait after attempt number `attempt` (from 1): exponential, full jitter.

    `chance` is uniform in [0, 1). A Retry-After is a floor, spread by up to a quarter so that those
    told the same do not come back together.
    """
    jitter = chance * min(CAP, BASE * 2.0 ** min(attempt, 20))
    if retry_after is None:
        return jitter
    return min(CAP, max(jitter, max(0.0, retry_after) * (1 + chance / 4)))


def hold_wait(held: int, retry_after: float, lane: Lane, chance: float) -> float:
    """Seconds until what was held for the `held`-th time is handed on again: not before its
    provider is asked again, and ever later, so that what waits out an outage goes round slowly; but
    within half a minute if it is urgent."""
    longest = HOLDS[1] if lane is Lane.HIGH else CAP
    backoff = min(longest, BASE * 2.0 ** min(held, 20))
    return min(CAP, max(chance * backoff, max(0.0, retry_after) * (1 + chance / 4)))


def exhausted(delivery: Delivery, now: datetime, wait: float, rules: Rules) -> str:
    """Why no attempt comes `wait` seconds after this one, which ended `now`: "attempts", "deadline"
    or "expiry"; '' if one does. A deadline runs from the end of the first attempt: what waited for
    its hour is not late by that. What was held made no attempt, but its deadline runs."""
    tries = rules.classes[delivery.priority]
    again = now + timedelta(seconds=wait)
    if delivery.tries >= tries.attempts:
        return "attempts"
    if delivery.expires_at is not None and again >= delivery.expires_at:
        return "expiry"
    return "deadline" if again > (delivery.tried_at or now) + tries.deadline else ""
