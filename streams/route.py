"""The router agent: requests in, deliveries and early outcomes out."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from streams.bury import Bury
from streams.consume import Record
from streams.decide import decide
from streams.emit import Emit
from tocsin.clock import Clock
from tocsin.errors import Invalid
from tocsin.metrics import ROUTED
from tocsin.records import (
    Delivery,
    NotificationRequest,
    Outcome,
    Profile,
    State,
    split_requests,
)
from tocsin.store import Notifications, Profiles


class _Read(NamedTuple):
    request: NotificationRequest
    place: str
    record: Record


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
        reads = await self._first_seen(reads)
        profiles = await self._profiles_of(reads)
        emit, now = Emit(self._producer), self._clock.now()
        routed: Counter[tuple[str, str]] = Counter()
        for read in reads:
            self._route(read, profiles.get(read.request.user_id), emit, routed, now)
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

    async def _first_seen(self, reads: list[_Read]) -> list[_Read]:
        duplicate = await self._notifications.duplicates(
            [read.request for read in reads], [read.place for read in reads]
        )
        return [read for read, again in zip(reads, duplicate, strict=True) if not again]

    async def _profiles_of(self, reads: Sequence[_Read]) -> dict[str, Profile | None]:
        users = list(dict.fromkeys(read.request.user_id for read in reads))
        return dict(zip(users, await self._profiles.get_many(users), strict=True))

    def _route(
        self,
        read: _Read,
        profile: Profile | None,
        emit: Emit,
        routed: Counter[tuple[str, str]],
        now: datetime,
    ) -> None:
        request, partition = read.request, read.record.partition
        accepted_at = request.accepted_at or read.record.at
        for decision in decide(request, profile, accepted_at, now):
            opened = _opened(decision, now)
            if isinstance(decision, Delivery):
                emit.delivery(decision, partition, now)
                emit.outcomes((opened,), partition)
                routed[decision.channel, decision.type] += 1
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
