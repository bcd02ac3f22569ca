"""The pools, replaced: they claim as senders do, and what was sent is written down."""

from collections import defaultdict
from collections.abc import Sequence

from redis.asyncio import Redis

from tocsin.records import (
    Channel,
    Delivery,
    State,
)
from tocsin.store import Claims, SendResult
from tocsin.store.claims import Standing
from tocsin.store.inbox import Inbox


class Phones:
    """The pools: everybody can be reached, and what was sent is written down. `answers` are given
    instead of sending, the next first, by delivery id."""

    def __init__(self, redis: Redis) -> None:
        self._claims, self._inbox = Claims(redis, "phones:1"), Inbox(redis)
        self.sent: list[Delivery] = []
        self.answers: dict[str, list[SendResult]] = defaultdict(list)

    def actor(self, channel: Channel, partition: int) -> int:
        del channel, partition
        return 0

    async def send(
        self, channel: Channel, partition: int, deliveries: Sequence[Delivery]
    ) -> list[SendResult]:
        del partition
        one = self._item if channel is Channel.INAPP else self._message
        return [await one(delivery) for delivery in deliveries]

    async def _item(self, delivery: Delivery) -> SendResult:
        item = (delivery.user_id, delivery.notification_id, b"{}")
        (appended,) = await self._inbox.append([item])
        if appended.cancelled:
            return SendResult(delivery.delivery_id, State.CANCELLED, "cancelled")
        if appended.fresh:
            self.sent.append(delivery)
        return SendResult(delivery.delivery_id, State.DELIVERED, provider="inbox")

    async def _message(self, delivery: Delivery) -> SendResult:
        (claim,) = await self._claims.take([(delivery.delivery_id, delivery.attempt)])
        if claim.standing is Standing.CANCELLED:
            return SendResult(delivery.delivery_id, State.CANCELLED, "cancelled")
        if claim.result is not None:
            return claim.result
        result = SendResult(delivery.delivery_id, State.DELIVERED, provider="phones")
        if answers := self.answers[delivery.delivery_id]:
            result = answers.pop(0)
        else:
            self.sent.append(delivery)
        await self._claims.settle([(result, delivery.attempt)])
        return result

    def got(self, *channels: Channel) -> list[str]:
        """Delivery ids, as often as each was sent."""
        return [d.delivery_id for d in self.sent if not channels or d.channel in channels]
