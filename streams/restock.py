"""The restock agent: stock changes in, back-in-stock requests out."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace
from redis.exceptions import RedisError

from streams.bury import Bury
from streams.consume import Record
from tocsin.clock import Clock
from tocsin.errors import Invalid
from tocsin.ids import derived_id
from tocsin.kafka import partition_for, send_all
from tocsin.records import InventoryChange, NotificationRequest, Subscription, decode, encode
from tocsin.store import Restocked, Subscriptions
from tocsin.topics import REQUESTS, SUBSCRIPTIONS

_log = logging.getLogger(__name__)

_LIFETIME: Final = timedelta(hours=12)
_MOST: Final = 250
_AHEAD: Final = timedelta(days=1)


class Restock:
    """Work for ``inventory.changes``.

    The script that applies a change also takes who waited; they stay marked as firing until their
    request is in Kafka, and any later change of the SKU brings them again. The request's id comes
    from the subscription's, so a second one is recognised by the router.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        subscriptions: Subscriptions,
        bury: Bury,
        clock: Clock,
        partitions: int,
    ) -> None:
        self._producer, self._subscriptions, self._bury = producer, subscriptions, bury
        self._clock, self._partitions = clock, partitions

    async def __call__(self, records: Sequence[Record]) -> None:
        """Durable when it returns: the stock applied, every request it caused produced."""
        changes = [change for record in records for change in await self._change(record)]
        restocked = await self._subscriptions.apply(changes)
        await self._announce(restocked)
        fired = _by_subscription(restocked)
        if not fired:
            return
        now = self._clock.now()
        live = [(s, stock) for s, stock in fired if not _over(s, now)]
        await send_all(self._producer, REQUESTS, self._values(live, now))
        await self._end([_ended(s, now) for s, _ in fired])

    async def _announce(self, restocked: Sequence[Restocked]) -> None:
        """Tell who shows stock live. Of changes that were known already, too: they come again when
        a worker died, maybe before it told."""
        try:
            await self._subscriptions.announce({r.sku: r.available for r in restocked})
        except RedisError as error:
            _log.warning("live stock is not told of %d changes: %s", len(restocked), error)

    async def _change(self, record: Record) -> list[InventoryChange]:
        try:
            return [change_of(record.value, self._clock.now())]
        except Invalid as error:
            await self._bury.one(*record[:4], error)
            return []

    def _values(
        self, fired: Sequence[tuple[Subscription, int]], now: datetime
    ) -> list[tuple[int, bytes]]:
        by_partition: dict[int, list[NotificationRequest]] = defaultdict(list)
        for subscription, available in fired:
            partition = partition_for(subscription.user_id, self._partitions)
            by_partition[partition].append(_request(subscription, available, now))
        return [
            (partition, encode({"requests": requests[i : i + _MOST]}))
            for partition, requests in by_partition.items()
            for i in range(0, len(requests), _MOST)
        ]

    async def _end(self, ended: Sequence[Subscription]) -> None:
        """The compacted topic first: Redis can be rebuilt from it, not the other way round."""
        values = [
            await self._producer.send(SUBSCRIPTIONS.name, encode(s), key=s.subscription_id.encode())
            for s in ended
        ]
        for value in values:
            await value
        await self._subscriptions.end(ended)


def change_of(value: bytes, now: datetime) -> InventoryChange:
    """The change a record holds. Raises `Invalid` for one that cannot be applied."""
    change = decode(InventoryChange, value)
    if change.occurred_at > now + _AHEAD:
        # it would make every later change of the SKU look stale
        raise Invalid("occurred_at", "lies more than a day ahead")
    return change


def _by_subscription(restocked: Iterable[Restocked]) -> list[tuple[Subscription, int]]:
    """Each firing subscription once, with the newest stock: changes of one batch repeat them."""
    found = {s.subscription_id: (s, r.available) for r in restocked for s in r.firing}
    return list(found.values())


def _over(subscription: Subscription, now: datetime) -> bool:
    return subscription.expires_at is not None and subscription.expires_at <= now


def _ended(subscription: Subscription, now: datetime) -> Subscription:
    return replace(subscription, state="expired" if _over(subscription, now) else "notified")


def _request(subscription: Subscription, available: int, now: datetime) -> NotificationRequest:
    return NotificationRequest(
        notification_id=derived_id("back-in-stock", subscription.subscription_id),
        user_id=subscription.user_id,
        type="BACK_IN_STOCK",
        data={
            "sku": subscription.sku,
            "available": available,
            "subscription_id": subscription.subscription_id,
        },
        channels=subscription.channels,
        dedupe_key=subscription.subscription_id,
        expires_at=now + _LIFETIME,
        accepted_at=now,
    )
