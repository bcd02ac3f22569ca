"""Digests: when one is due, and what it says. Pure."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from streams.rules import DigestRule
from tocsin.ids import derived_id
from tocsin.quiet import zone
from tocsin.records import Deferred, Delivery, NotificationRequest, Profile

Lines = Callable[[Sequence[tuple[Delivery, Profile]]], Awaitable[list[dict[str, str]]]]
"""Entries of a digest in words: `title`, `body`, `url`."""

TYPE: Final = "DIGEST"
LISTED: Final = 100
"""Entries a digest shows; of the others it says how many they are."""


def digest_due(rule: DigestRule, timezone: str, now: datetime) -> datetime:
    """When a digest that is begun now goes out (UTC): after the window, or at the next wall-clock
    time in the person's zone. A wall time that DST skips has the offset before the gap; one that
    comes twice is the first."""
    if rule.window is not None:
        return now + rule.window
    local = now.astimezone(zone(timezone))
    at = time.fromisoformat(str(rule.at))
    for days in (0, 1, 2):
        day = local.date() + timedelta(days=days)
        due = datetime.combine(day, at, tzinfo=local.tzinfo).astimezone(UTC)
        if due > now:
            return due
    raise AssertionError("a day has at most 25 hours")


def digest_request(
    entries: Sequence[Deferred], lines: Sequence[dict[str, str]], category: str, now: datetime
) -> NotificationRequest:
    """One message of all entries of a bucket (at least one), each said by its line.

    Its id comes from the bucket and what is in it: made again after a crash it is the same one.
    """
    first = entries[0]
    members = sorted(entry.schedule_id for entry in entries)
    return NotificationRequest(
        notification_id=derived_id("digest", first.digest, *members),
        user_id=first.request.user_id,
        type=TYPE,
        category=category,
        channels=first.channels,
        data={
            "count": len(entries),
            "items": list(lines[:LISTED]),
            "more": max(0, len(entries) - LISTED),
        },
        accepted_at=now,
    )
