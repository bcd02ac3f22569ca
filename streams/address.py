"""A broadcast addressed to people: of each request only two ids are encoded anew. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from streams.rules import Rules
from tocsin.ids import derived_id
from tocsin.kafka import partition_for
from tocsin.records import Broadcast, NotificationRequest, encode

MOST: Final = 250
"""Requests in one ``{requests:[...]}`` record."""

MOST_BYTES: Final = 900_000
"""Of one such record; a single request may be larger."""

_HEAD: Final = b'{"notification_id":"","user_id":""'
_OPEN, _CLOSE = b'{"requests":[', b"]}"


class Address:
    """The requests of one broadcast, gathered into records by the partition of their users.

    A record is given out as soon as it is full, and until then the words that all requests share
    are there once: however large they are and however many the people, little is held.
    """

    def __init__(self, broadcast: Broadcast, rules: Rules, partitions: int) -> None:
        self._id, self._partitions = broadcast.broadcast_id, partitions
        self._tail = encode(_request(broadcast, rules)).removeprefix(_HEAD)
        self._heads: dict[int, list[bytes]] = defaultdict(list)
        self._sizes: dict[int, int] = defaultdict(int)

    def to(self, user_id: str) -> tuple[int, bytes] | None:
        """Address one person; the (partition, value) that had no more room for them."""
        partition = partition_for(user_id, self._partitions)
        head = b'{"notification_id":"%b","user_id":%b' % (
            notification_id(self._id, user_id).encode(),
            encode(user_id),
        )
        size = len(head) + len(self._tail) + 1
        full = None
        if self._is_full(partition, size):
            full = partition, self._value(partition)
        self._heads[partition].append(head)
        self._sizes[partition] += size
        return full

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """The (partition, value) pairs that still had room."""
        for partition in [p for p, heads in self._heads.items() if heads]:
            yield partition, self._value(partition)

    def _is_full(self, partition: int, more: int) -> bool:
        there = len(self._heads[partition])
        return there >= MOST or (there > 0 and self._sizes[partition] + more > MOST_BYTES)

    def _value(self, partition: int) -> bytes:
        self._sizes[partition] = len(_OPEN) + len(_CLOSE)
        requests = (head + self._tail for head in self._heads.pop(partition))
        return _OPEN + b",".join(requests) + _CLOSE


def notification_id(broadcast_id: str, user_id: str) -> str:
    """The same for the same person of the same broadcast, however often it is fanned out."""
    return derived_id("broadcast", broadcast_id, user_id)


def _request(broadcast: Broadcast, rules: Rules) -> NotificationRequest:
    return NotificationRequest(
        notification_id="",
        user_id="",
        type=broadcast.type,
        data=broadcast.data,
        channels=broadcast.channels,
        priority=broadcast.priority,
        strategy=broadcast.strategy,
        template_id=broadcast.template_id,
        template_version=broadcast.template_version,
        category=broadcast.category,
        collapse_key=broadcast.collapse_key,
        expires_at=_expires_at(broadcast, rules),
        accepted_at=broadcast.accepted_at,
        broadcast_id=broadcast.broadcast_id,
    )


def _expires_at(broadcast: Broadcast, rules: Rules) -> datetime | None:
    """A type's lifetime runs from when the broadcast was to begin: accepted a week ahead, it would
    else be over before that."""
    if broadcast.expires_at or broadcast.send_at is None:
        return broadcast.expires_at
    return max(broadcast.send_at, broadcast.accepted_at) + rules.of(broadcast.type).lifetime
