"""What became of a notification: what is on record, and what the senders know before it is."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tocsin.records import CHANNELS, State
from tocsin.store import SendResult

_result = msgspec.json.Decoder(SendResult)
_AT_WORK: Final = {"c": "sending", "n": "retrying"}


class ChannelStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One delivery. `state`: accepted, sending, retrying, or how it ended. `at`: since when."""

    state: str
    at: datetime | None = None
    reason: str = ""
    provider: str = ""
    provider_message_id: str = ""
    attempt: int = 0


class NotificationStatus(msgspec.Struct, frozen=True):
    """`channels` is empty until the notification is routed. `complete` is false while ClickHouse is
    away: then this is what the senders remember, for some hours."""

    notification_id: str
    complete: bool
    user_id: str | None
    type: str | None
    accepted_at: datetime | None
    channels: dict[str, ChannelStatus]


def deliveries_of(notification_id: str) -> list[str]:
    """The ids of its deliveries, one per channel there is."""
    return [f"{notification_id}:{channel}" for channel in CHANNELS]


def merge(
    notification_id: str,
    rows: Iterable[Mapping[str, Any]] | None,
    claims: Iterable[bytes | None],
) -> NotificationStatus | None:
    """The status, or None if nobody knows such a notification.

    `rows` are of sql/notification.sql, None while ClickHouse is away; `claims` are the senders'
    values of `deliveries_of`. An end beats a claim, a claim beats a beginning.
    """
    recorded = sorted(rows or (), key=lambda row: (row["state"] != "", row["at"]))
    channels = {r["channel"]: _recorded(r) for r in recorded if r["channel"]}
    for channel, claim in zip(CHANNELS, claims, strict=True):
        there = channels.get(channel)
        if claim and (there is None or there.state == State.ACCEPTED):
            channels[channel] = _claimed(claim)
    if not recorded and not channels:
        return None
    first = recorded[0] if recorded else {}
    return NotificationStatus(
        notification_id=notification_id,
        complete=rows is not None,
        user_id=first.get("user_id"),
        type=first.get("type"),
        accepted_at=_utc(first["accepted_at"]) if first else None,
        channels=channels,
    )


def _recorded(row: Mapping[str, Any]) -> ChannelStatus:
    return ChannelStatus(
        state=row["state"] or State.ACCEPTED,
        at=_utc(row["at"]),
        reason=row["reason"],
        provider=row["provider"],
        provider_message_id=row["provider_message_id"],
        attempt=row["attempt"],
    )


def _claimed(value: bytes) -> ChannelStatus:
    """A sender's note (store/claims.py): ``c:attempt:…``, or ``n`` or ``r`` ``:attempt:result``."""
    kind, attempt, rest = value.split(b":", 2)
    letter = kind.decode()
    if letter == "c":
        return ChannelStatus(_AT_WORK[letter], attempt=int(attempt))
    result = _result.decode(rest)
    return ChannelStatus(
        state=_AT_WORK.get(letter, result.state),
        reason=result.reason,
        provider=result.provider,
        provider_message_id=result.provider_message_id,
        attempt=int(attempt),
    )


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
