"""Quiet hours in a person's own zone: pure, DST-proof."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tocsin.records import QuietHours


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone, or UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def quiet_until(quiet: QuietHours | None, timezone: str, now: datetime) -> datetime | None:
    """When the quiet hours that hold at `now` end (UTC), or None when it is not quiet.

    Wall-clock start inclusive, end exclusive; over midnight where start > end; never where equal.
    An unknown zone counts as UTC. A wall time that DST skips has the offset before the gap.
    """
    if quiet is None or quiet.start == quiet.end:
        return None
    local = now.astimezone(zone(timezone))
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    wall = local.time().replace(tzinfo=None)
    inside = start <= wall < end if start < end else wall >= start or wall < end
    if not inside:
        return None
    day = local.date() if wall < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=local.tzinfo).astimezone(UTC)
