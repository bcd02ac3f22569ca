"""Digests: when one is due, and what it says. Pure."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from typing import Final

from streams.rules import DigestRule
from tocsin.ids import derived_id
from tocsin.quiet import zone
from tocsin.records import Deferred, Delivery, NotificationRequest, Profile, encode

Lines = Callable[[Sequence[tuple[Delivery, Profile]]], Awaitable[list[dict[str, str]]]]
"""Entries of a digest in words: `title`, `body`, `url`."""

TYPE: Final = "DIGEST"
LISTED: Final = 100
"""Entries a digest shows; of the others it says how many they are."""

LISTED_BYTES: Final = 150_000
"""Of their lines, as JSON: a digest has the bounds of any request and any mail."""


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


def digest_id(entries: Sequence[Deferred]) -> str:
    """The notification id of the digest of what was handed on together, wanted still or not: made
    again after a crash it is the same one, whatever people have changed meanwhile."""
    members = sorted(entry.schedule_id for entry in entries)
    return derived_id("digest", entries[0].digest, *members)


def digest_request(
    notification_id: str,
    entries: Sequence[Deferred],
    lines: Sequence[dict[str, str]],
    category: str,
    now: datetime,
) -> NotificationRequest:
    """One message of these entries (at least one), each said by its line."""
    first, listed = entries[0], _listed(lines)
    return NotificationRequest(
        notification_id=notification_id,
        user_id=first.request.user_id,
        type=TYPE,
        category=category,
        channels=first.channels,
        data={"count": len(entries), "items": listed, "more": len(entries) - len(listed)},
        accepted_at=now,
    )


def _listed(lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    sizes = accumulate(len(encode(line)) for line in lines[:LISTED])
    return [line for line, size in zip(lines, sizes, strict=False) if size <= LISTED_BYTES]
