"""The channels now, of what each engine could tell. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from api.ops.books import Row, quantile
from api.ops.lag import Lag
from tocsin.groups import STREAMS
from tocsin.records import CHANNELS
from tocsin.topics import BY_CHANNEL


class ChannelNow(msgspec.Struct, frozen=True):
    """Counts are of all time but for `queued` (records on the channel's topics), `deferred` (wait
    for their hour) and `retrying` (wait for their next try). Rates are of the last minute, and
    latencies, from acceptance to delivery, of the last hour. Null is not known now."""

    channel: str
    accepted: int | None = None
    delivered: int | None = None
    failed: int | None = None
    suppressed: int | None = None
    expired: int | None = None
    cancelled: int | None = None
    in_flight: int | None = None
    queued: int | None = None
    deferred: int | None = None
    retrying: int | None = None
    delivered_per_s: float | None = None
    failed_per_s: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


def channels_now(
    totals: Mapping[str, Mapping[str, int]] | None,
    pace: Sequence[Row] | None,
    waits: Sequence[Row] | None,
    lag: Lag | None,
) -> list[ChannelNow]:
    """Every channel, whatever is known of it."""
    return [
        ChannelNow(
            str(channel),
            **_counts(str(channel), totals),
            queued=None if lag is None else _queued(str(channel), lag),
            **_waits(_row(str(channel), waits), known=waits is not None),
            **_pace(_row(str(channel), pace), known=pace is not None),
        )
        for channel in CHANNELS
    ]


def _counts(channel: str, totals: Mapping[str, Mapping[str, int]] | None) -> dict[str, Any]:
    return dict((totals or {}).get(channel, {}))


def _queued(channel: str, lag: Lag) -> int:
    topics = {topic.name for (of, _), topic in BY_CHANNEL.items() if of == channel}
    return sum(n for (group, topic), n in lag.items() if group == STREAMS and topic in topics)


def _row(channel: str, rows: Sequence[Row] | None) -> Row | None:
    return next((row for row in rows or () if row["channel"] == channel), None)


def _waits(row: Row | None, *, known: bool) -> dict[str, Any]:
    if not known:
        return {}
    return {name: int(row[name]) if row else 0 for name in ("deferred", "retrying")}


def _pace(row: Row | None, *, known: bool) -> dict[str, Any]:
    if not known:
        return {}
    if row is None:
        return {"delivered_per_s": 0.0, "failed_per_s": 0.0}
    return {
        "delivered_per_s": round(row["delivered_per_s"], 2),
        "failed_per_s": round(row["failed_per_s"], 2),
        "p50_ms": quantile(row, 0),
        "p95_ms": quantile(row, 1),
        "p99_ms": quantile(row, 2),
    }
