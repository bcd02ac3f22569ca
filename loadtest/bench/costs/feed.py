"""What a phase sends: at an even pace, each call at its moment whatever the others take."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

from aiokafka import AIOKafkaProducer

from loadtest.bench.api_calls import ApiCalls
from loadtest.bench.traffic import request
from tocsin.ids import new_id
from tocsin.kafka import partition_for
from tocsin.links import Purpose, Seals, Sent
from tocsin.links.sent import pack
from tocsin.records import Channel, NotificationRequest, Profile, encode
from tocsin.settings import Settings
from tocsin.topics import REQUESTS

SKUS = 50


class Feed:
    """Sends to people in turn; every method returns when all of it was accepted."""

    def __init__(
        self,
        settings: Settings,
        people: Sequence[Profile],
        pairs: Sequence[Profile],
        producer: AIOKafkaProducer,
        api: ApiCalls,
    ) -> None:
        self._settings, self._producer, self._api = settings, producer, api
        names = [profile.user_id for profile in people]
        self._in_partition = _shared(names, settings.partitions)
        self._pairs = _shared([profile.user_id for profile in pairs], settings.partitions)
        self._partitions = cycle(range(settings.partitions))
        self._people, self._otp_people = cycle(names), iter(names)
        self._seals = Seals(settings)

    async def records(
        self,
        mix: Sequence[Channel],
        count: int,
        size: int,
        per_second: float,
        to_pairs: bool = False,
    ) -> None:
        """Records of `size` requests straight into Kafka, `per_second` requests (0: at once).
        `to_pairs`: to people with two devices."""
        turn, crowd = cycle(mix), self._pairs if to_pairs else self._in_partition

        async def one(_: int) -> None:
            partition = next(self._partitions)
            names = crowd[partition]
            requests = [_request(next(turn), next(names)) for _ in range(size)]
            value = encode({"requests": requests})
            await (await self._producer.send(REQUESTS.name, value, partition=partition))

        await _paced(one, count // size, per_second / size)

    async def rest(self, mix: Sequence[Channel], count: int, per_second: float) -> None:
        """One call a notification."""
        turn = cycle(mix)
        await self._calls("/v1/notifications", lambda: self._body(next(turn)), count, per_second)

    async def batches(
        self, mix: Sequence[Channel], count: int, size: int, per_second: float
    ) -> None:
        """Calls of `size` notifications, `per_second` notifications."""
        turn = cycle(mix)

        def body() -> dict[str, object]:
            return {"requests": [self._body(next(turn)) for _ in range(size)]}

        path = "/v1/notifications:batch"
        await self._calls(path, body, count // size, per_second / size)

    async def otp(self, count: int, per_second: float) -> None:
        """Log-ins by text message, of as many people as there are calls."""

        def body() -> dict[str, object]:
            return {"user_id": next(self._otp_people), "purpose": "bench", "channel": "sms"}

        await self._calls("/v1/otp", body, count, per_second)

    async def sign_ups(self, count: int, per_second: float) -> None:
        """People wait for one of a few SKUs."""
        sku = cycle(range(SKUS))

        def body() -> dict[str, object]:
            return {"user_id": next(self._people), "sku": f"bench-{next(sku)}"}

        path = "/v1/subscriptions?allow_unknown_sku=true"
        await self._calls(path, body, count, per_second)

    async def stock(self, count: int, per_second: float) -> None:
        """Changes of stock that fire nothing: there is none of it before and after."""
        sku = cycle(range(SKUS))

        def body() -> dict[str, object]:
            now = datetime.now(UTC)
            return {
                "event_id": new_id(),
                "sku": f"x-{next(sku)}",
                "available": 0,
                "occurred_at": now,
            }

        await self._calls("/v1/inventory", body, count, per_second)

    async def preferences(self, count: int, per_second: float) -> None:
        """People change the zone of their quiet hours, so that every call changes something."""
        zones = cycle(("Europe/London", "Europe/Paris", "Europe/Rome"))

        async def one(_: int) -> None:
            path = f"/v1/users/{next(self._people)}/preferences"
            await self._api.put(path, {"timezone": next(zones)})

        await _paced(one, count, per_second)

    async def clicks(self, count: int, per_second: float) -> None:
        """Links of messages, followed to where they redirect to, and no further."""

        async def one(_: int) -> None:
            now = datetime.now(UTC)
            sent = Sent(new_id(), next(self._people), Channel.PUSH, "BACK_IN_STOCK", now)
            token = self._seals.seal(Purpose.CLICK, pack(sent, "/shop?sku=85123A"))
            await self._api.follow(f"/c/{token}")

        await _paced(one, count, per_second)

    async def _calls(
        self, path: str, body: Callable[[], Any], count: int, per_second: float
    ) -> None:
        async def one(_: int) -> None:
            await self._api.post(path, body())

        await _paced(one, count, per_second)

    def _body(self, channel: Channel) -> dict[str, object]:
        made = _request(channel, next(self._people))
        return {
            "notification_id": made.notification_id,
            "user_id": made.user_id, "type": made.type, "data": made.data,
            "channels": made.channels,
        }  # fmt: skip


def _shared(names: Sequence[str], partitions: int) -> list[Iterator[str]]:
    """By partition, each in turn for ever."""
    found: list[list[str]] = [[] for _ in range(partitions)]
    for name in names:
        found[partition_for(name, partitions)].append(name)
    return [cycle(each) for each in found]


def _request(channel: Channel, user_id: str) -> NotificationRequest:
    return request(channel, user_id, datetime.now(UTC))


async def _paced(one: Callable[[int], Awaitable[None]], count: int, per_second: float) -> None:
    start = time.monotonic()

    async def at(number: int) -> None:
        if per_second:
            await asyncio.sleep(max(0.0, start + number / per_second - time.monotonic()))
        await one(number)

    tasks = [asyncio.create_task(at(number)) for number in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
