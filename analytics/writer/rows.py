"""From Kafka records to the rows of tables. Pure; a record that cannot be read is left out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    ENGAGEMENT,
    ERASURES,
    INVENTORY,
    LATEST_MS,
    REQUESTS,
    WAVES,
    Table,
    milliseconds,
)
from tocsin.errors import Invalid
from tocsin.records import (
    TERMINAL,
    DeadLetter,
    Engagement,
    InventoryChange,
    NotificationRequest,
    OtpChallenge,
    OutcomeBatch,
    Profile,
    State,
    decode,
    decode_internal,
    split_requests,
)
from tocsin.topics import DEAD, OTP, OUTCOMES, PROFILES, REQUESTS_BY_LANE
from tocsin.topics import ENGAGEMENT as ENGAGEMENT_TOPIC
from tocsin.topics import INVENTORY as INVENTORY_TOPIC

_STATIONS: Final = (State.DEFERRED, State.RETRY)
"""Looks at a delivery that are always on record, with a trace or without."""

_ENDS: Final = (*sorted(TERMINAL), State.ACKED)
"""As tuples: the hash of an enum's member is computed in Python, and this runs for every row."""

_BACK: Final = "BACK_IN_STOCK"

_NEW_MS: Final = 86_400_000
"""A profile no older than this when it was written tells of a registration."""


class Record(NamedTuple):
    """What is used of a Kafka record; `timestamp` in milliseconds. A tombstone's value is empty."""

    partition: int
    offset: int
    timestamp: int
    value: bytes
    key: bytes = b""


class Request(NamedTuple):
    """A row of `requests`; times in milliseconds."""

    notification_id: str
    user_id: str
    type: str
    accepted_at: int
    due_at: int
    topic: str
    partition: int
    offset: int


class Told(NamedTuple):
    """A row of `waves`: who waited for `sku` was told at `at` (milliseconds) that it is back."""

    at: int
    sku: str
    notification_id: str
    available: int


class Erasure(NamedTuple):
    """A row of `erasures`: at `at` (milliseconds) somebody was erased, or with `back` registered,
    perhaps again."""

    user_id: str
    at: int
    back: bool


class Filled(NamedTuple):
    """Rows by table, and how many records or requests could not be read."""

    rows: Mapping[Table, Sequence[Any]]
    skipped: int


def fill(topic: str, records: Iterable[Record]) -> Filled:
    """The rows of one topic's records, in their order."""
    return _BY_TOPIC[topic](records)


def _requests(topic: str, records: Iterable[Record]) -> Filled:
    rows: list[Request] = []
    told: list[Told] = []
    skipped = 0
    for record in records:
        try:
            found = split_requests(record.value)
        except Invalid:
            skipped += 1
            continue
        for request in found:
            if isinstance(request, Invalid):
                skipped += 1
                continue
            accepted_at = _since(request.accepted_at, record)
            due_at = (
                max(accepted_at, milliseconds(request.send_at)) if request.send_at else accepted_at
            )
            rows.append(
                Request(
                    request.notification_id, request.user_id, request.type, accepted_at, due_at,
                    topic, record.partition, record.offset,
                )
            )  # fmt: skip
            if request.type == _BACK:
                told += _told(request, accepted_at)
    return Filled({REQUESTS: rows, WAVES: told} if told else {REQUESTS: rows}, skipped)


def _told(request: NotificationRequest, at: int) -> list[Told]:
    """Only what the restock agent asked for: it names the sign-up that was waiting."""
    data = request.data
    sku, available = data.get("sku"), data.get("available")
    if not isinstance(sku, str) or not isinstance(available, int) or "subscription_id" not in data:
        return []
    return [Told(at, sku, request.notification_id, available)]


def _otp(records: Iterable[Record]) -> Filled:
    rows, skipped = [], 0
    for record, challenge in _decoded(OtpChallenge, records):
        if challenge is None:
            skipped += 1
            continue
        at = _since(challenge.accepted_at, record)
        rows.append(
            Request(
                challenge.challenge_id, challenge.user_id, "OTP", at, at,
                OTP.name, record.partition, record.offset,
            )
        )  # fmt: skip
    return Filled({REQUESTS: rows}, skipped)


def _outcomes(records: Iterable[Record]) -> Filled:
    opened, ended, looks, skipped = [], [], [], 0
    for record in records:
        try:
            batch = decode_internal(OutcomeBatch, record.value)
        except Invalid:
            skipped += 1
            continue
        opened += [each for each in batch.outcomes if each.state is State.ACCEPTED]
        ended += [each for each in batch.outcomes if each.state in _ENDS]
        looks += [each for each in batch.outcomes if each.trace or each.state in _STATIONS]
    return Filled({ACCEPTED: opened, DELIVERIES: ended, DECISIONS: looks}, skipped)


def _profiles(records: Iterable[Record]) -> Filled:
    rows, skipped = [], 0
    for record in records:
        if record.key and not record.value:
            user_id = record.key.decode(errors="replace")
            rows.append(Erasure(user_id, _within(record.timestamp), False))
            continue
        try:
            profile = decode_internal(Profile, record.value)
        except Invalid:
            skipped += 1
            continue
        born = milliseconds(profile.created_at) if profile.created_at else None
        if born is not None and record.timestamp - born <= _NEW_MS:
            rows.append(Erasure(profile.user_id, born, True))
    return Filled({ERASURES: rows}, skipped)


def _plain(table: Table, kind: type[Any]) -> Callable[[Iterable[Record]], Filled]:
    def rows(records: Iterable[Record]) -> Filled:
        found = [row for _, row in _decoded(kind, records)]
        good = [row for row in found if row is not None]
        return Filled({table: good}, len(found) - len(good))

    return rows


def _decoded(kind: type[Any], records: Iterable[Record]) -> Iterable[tuple[Record, Any | None]]:
    for record in records:
        try:
            yield record, decode(kind, record.value)
        except Invalid:
            yield record, None


def _since(accepted_at: Any, record: Record) -> int:
    if accepted_at is not None:
        return milliseconds(accepted_at)
    return _within(record.timestamp)


def _within(timestamp: int) -> int:
    return min(max(timestamp, 0), LATEST_MS)


_BY_TOPIC: Final[Mapping[str, Callable[[Iterable[Record]], Filled]]] = {
    **{t.name: partial(_requests, t.name) for t in REQUESTS_BY_LANE.values()},
    OTP.name: _otp,
    OUTCOMES.name: _outcomes,
    ENGAGEMENT_TOPIC.name: _plain(ENGAGEMENT, Engagement),
    INVENTORY_TOPIC.name: _plain(INVENTORY, InventoryChange),
    DEAD.name: _plain(DEAD_LETTERS, DeadLetter),
    PROFILES.name: _profiles,
}
