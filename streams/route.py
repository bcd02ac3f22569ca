"""The router agent: requests in, deliveries and early outcomes out."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from streams.bury import Bury
from streams.consume import Record
from streams.decide import Decision, decide, early_outcome
from streams.emit import Emit
from streams.policy import policy_of
from tocsin.clock import Clock
from tocsin.errors import Invalid
from tocsin.metrics import ROUTED
from tocsin.records import (
    Delivery,
    NotificationRequest,
    Outcome,
    Profile,
    State,
    encode,
    split_requests,
)
from tocsin.store import Notifications, Profiles, Seen

log = logging.getLogger(__name__)


class _Read(NamedTuple):
    request: NotificationRequest
    place: str
    record: Record


class _Standing(NamedTuple):
    read: _Read
    profile: Profile | None
    duplicate: bool


class Route:
    """Work for ``notification.requests``: two store calls per batch, whatever its size."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        notifications: Notifications,
        profiles: Profiles,
        bury: Bury,
        clock: Clock,
    ) -> None:
        self._producer, self._bury, self._clock = producer, bury, clock
        self._notifications, self._profiles = notifications, profiles

    async def __call__(self, records: Sequence[Record]) -> None:
        """Durable when it returns: deliveries on their channels, outcomes of the rest."""
        reads = [read for record in records for read in await self._requests(record)]
        emit, now = Emit(self._producer), self._clock.now()
        routed: Counter[tuple[str, str]] = Counter()
        for standing in await self._standings(reads):
            try:
                decisions = _decisions(standing, now)
            except Exception as error:
                # one request that cannot be decided on must not take its whole record along
                log.exception("%s cannot be routed", standing.read.place)
                await self._bury.one(
                    *standing.read.record[:3], encode(standing.read.request), error
                )
                decisions = _undecidable(standing, now)
            routed.update(_emitted(decisions, standing, emit, now))
        await emit.flush()
        for labels, count in routed.items():
            ROUTED.labels(*labels).inc(count)

    async def _requests(self, record: Record) -> list[_Read]:
        found = []
        for index, request in enumerate(split_requests(record.value)):
            if isinstance(request, Invalid):
                await self._bury.one(*record[:4], request)
            else:
                found.append(_Read(request, f"{record.place}:{index}", record))
        return found

    async def _standings(self, reads: Sequence[_Read]) -> list[_Standing]:
        """What there is to decide on; a notification id from elsewhere in the log is not."""
        seen = await self._notifications.seen(
            [read.request for read in reads], [read.place for read in reads]
        )
        users = list(dict.fromkeys(read.request.user_id for read in reads))
        profiles = dict(zip(users, await self._profiles.get_many(users), strict=True))
        return [
            _Standing(read, profiles[read.request.user_id], how is Seen.DUPLICATE)
            for read, how in zip(reads, seen, strict=True)
            if how is not Seen.AGAIN
        ]


def _decisions(standing: _Standing, now: datetime) -> list[Decision]:
    request, record = standing.read.request, standing.read.record
    accepted_at = request.accepted_at or record.at
    return list(decide(request, standing.profile, accepted_at, now, standing.duplicate))


def _undecidable(standing: _Standing, now: datetime) -> list[Decision]:
    request = standing.read.request
    channels = request.channels or policy_of(request.type).channels
    return [
        early_outcome(request, channel, State.FAILED, "could not be routed", now, now)
        for channel in channels
    ]


def _emitted(
    decisions: Sequence[Decision], standing: _Standing, emit: Emit, now: datetime
) -> Iterator[tuple[str, str]]:
    """Emit what was decided; yields channel and type of each delivery handed on."""
    partition = standing.read.record.partition
    for decision in decisions:
        opened = _opened(decision, now)
        if isinstance(decision, Delivery):
            emit.delivery(decision, partition, now)
            emit.outcomes((opened,), partition)
            yield decision.channel, decision.type
        else:
            emit.outcomes((opened, decision), partition)


def _opened(decision: Delivery | Outcome, now: datetime) -> Outcome:
    """The `accepted` row that opens every delivery, so that the books can be balanced."""
    return Outcome(
        delivery_id=decision.delivery_id,
        notification_id=decision.notification_id,
        user_id=decision.user_id,
        channel=decision.channel,
        type=decision.type,
        state=State.ACCEPTED,
        attempt=0,
        accepted_at=decision.accepted_at,
        at=now,
        template_id=decision.template_id,
    )
