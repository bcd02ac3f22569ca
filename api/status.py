"""What became of a notification: what is on record, and what the senders know before it is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from api.trace import Look, looks_of, utc
from tocsin.records import CHANNELS, State
from tocsin.store import SendResult

Row = Mapping[str, Any]

_result = msgspec.json.Decoder(SendResult)
_AT_WORK: Final = {"c": "sending", "n": "retrying"}
_SHOWN: Final[Mapping[str, str]] = {
    State.RETRY: "retrying",
    State.ACKED: "delivered",  # a device has it, though the end is not on record yet
}


class ChannelStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One delivery. `state`: accepted, deferred, sending, retrying, or how it ended. `at`: since
    when. `trace`: every look at it, in order; `template_version` 0 is the bundled words."""

    state: str
    at: datetime | None = None
    reason: str = ""
    provider: str = ""
    provider_message_id: str = ""
    attempt: int = 0
    template_id: str = ""
    template_version: int = 0
    due_at: datetime | None = None
    trace: tuple[Look, ...] = ()


class DeadRequest(msgspec.Struct, frozen=True):
    """Why a request could not be used, and which field of it was wrong (empty: all of it)."""

    reason: str
    field: str
    at: datetime


class NotificationStatus(msgspec.Struct, frozen=True):
    """`channels` is empty until the notification is routed; if it never was because it became a
    dead letter, `dead` says why. `complete` is false while ClickHouse is away: then this is what
    the senders remember, for some hours."""

    notification_id: str
    complete: bool
    user_id: str | None
    type: str | None
    accepted_at: datetime | None
    channels: dict[str, ChannelStatus]
    dead: DeadRequest | None = None


def deliveries_of(notification_id: str) -> list[str]:
    """The ids of its deliveries, one per channel there is."""
    return [f"{notification_id}:{channel}" for channel in CHANNELS]


def merge(
    notification_id: str,
    rows: Iterable[Row] | None,
    claims: Iterable[bytes | None],
) -> NotificationStatus | None:
    """The status, or None if nobody knows such a notification.

    `rows` are of sql/notification.sql, None while ClickHouse is away; `claims` are the senders'
    values of `deliveries_of`. An end beats a claim, a claim beats whatever came before.
    """
    recorded = sorted(rows or (), key=lambda row: row["at"])
    channels: dict[str, ChannelStatus] = {
        channel: _claimed(claim)
        for channel, claim in zip(CHANNELS, claims, strict=True)
        if claim is not None
    }
    for channel, told in _by_channel(recorded).items():
        channels[channel] = _recorded(told, channels.get(channel))
    if not recorded and not channels:
        return None
    first = next((row for row in recorded if row["type"]), {})
    return NotificationStatus(
        notification_id=notification_id,
        complete=rows is not None,
        user_id=first.get("user_id") or None,
        type=first.get("type"),
        accepted_at=utc(first["accepted_at"]) if first else None,
        channels=channels,
        dead=None if channels else _dead(recorded),
    )


def _by_channel(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["channel"]:
            found[row["channel"]].append(row)
    return found


def _recorded(rows: Sequence[Row], claimed: ChannelStatus | None) -> ChannelStatus:
    """One channel's rows, oldest first, and what a sender says of it."""
    trace = looks_of(rows)
    ends = [row for row in rows if row["part"] == "ended"]
    words = next((row for row in reversed(rows) if row["template_id"]), rows[-1])
    return msgspec.structs.replace(
        _received(_ended(ends[-1]) if ends else claimed or _under_way(trace[-1]), rows),
        template_id=words["template_id"],
        template_version=words["template_version"],
        trace=trace,
    )


def _ended(row: Row) -> ChannelStatus:
    return ChannelStatus(
        state=row["state"],
        at=utc(row["at"]),
        reason=row["reason"],
        provider=row["provider"],
        provider_message_id=row["provider_message_id"],
        attempt=row["attempt"],
    )


def _received(status: ChannelStatus, rows: Sequence[Row]) -> ChannelStatus:
    """What was heard after a delivery says how it was received, and leaves since when it is."""
    heard = [row for row in rows if row["part"] == "receipt"]
    if not heard or status.state != State.DELIVERED:
        return status
    state, provider = heard[-1]["state"], heard[-1]["provider"]
    return msgspec.structs.replace(status, reason=state, provider=provider or status.provider)


def _under_way(last: Look) -> ChannelStatus:
    return ChannelStatus(
        state=_SHOWN.get(last.state, last.state),
        at=last.at,
        reason=last.reason,
        attempt=last.attempt,
        due_at=last.due_at,
    )


def _dead(rows: Sequence[Row]) -> DeadRequest | None:
    letters = [row for row in rows if row["part"] == "dead"]
    if not letters:
        return None
    return DeadRequest(letters[-1]["reason"], letters[-1]["field"], utc(letters[-1]["at"]))


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
