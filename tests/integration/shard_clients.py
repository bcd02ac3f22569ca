"""Shards in this process, and clients of theirs that talk as a browser does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.message import Content
from actors.shard import ConnectionShard
from tocsin.errors import Permanent
from tocsin.records import Channel, Delivery, DeliveryBatch, Profile, encode
from tocsin.settings import Settings
from tocsin.store import Profiles, SendResult
from tocsin.store.tickets import Tickets

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECONDS = 60
"""To fail rather than hang; nothing here takes a tenth of it."""

Answers = msgspec.json.Decoder(list[SendResult])


def words(delivery: Delivery, profile: Profile) -> Content:
    """The data's own text, so that a test sees what arrives."""
    if "boom" in delivery.data:
        raise Permanent("missing variable: boom")
    return Content(body=str(delivery.data.get("body", "")), title=delivery.notification_id)


def delivery(number: int, user: str = "u1", **fields: Any) -> Delivery:
    """Notification n`number` for a person."""
    given = {"data": {"body": f"b{number}"}, "category": "promotional"} | fields
    return Delivery(
        notification_id=f"n{number}", user_id=user, channel=Channel.INAPP, type="SALE_OFFER",
        template_id="SALE_OFFER", accepted_at=NOW, **given,
    )  # fmt: skip


class Client:
    """One WebSocket, JSON in and out."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws

    async def say(self, **frame: Any) -> None:
        await self.ws.send(json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            heard: dict[str, Any] = json.loads(await self.ws.recv())
            return heard

    async def notifications(self, count: int) -> list[int]:
        """The offsets of the next `count` frames, which must be notifications."""
        frames = [await self.hear() for _ in range(count)]
        assert all(frame["op"] == "notification" for frame in frames), frames
        return [frame["offset"] for frame in frames]

    async def quiet(self) -> None:
        """Nothing was on its way: the next thing heard is the answer to a ping."""
        await self.say(op="ping")
        assert await self.hear() == {"op": "pong"}

    async def close_code(self) -> int:
        """Read to the end; the code it was closed with."""
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionClosed):
                while True:
                    await self.ws.recv()
            assert self.ws.close_code is not None
            return self.ws.close_code


class Shop:
    """Some shards on one store, their peers wired to each other, and people."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        # port 0 is no setting a person may give; here every shard gets a free one
        self.settings = settings.model_copy(update={"ws_port": 0})
        self.redis, self.tickets = redis, Tickets(redis)
        self.shards: dict[str, ConnectionShard] = {}
        self.cut_off: set[str] = set()

    async def shard(self, name: str = "a") -> ConnectionShard:
        """A shard that serves."""
        if name not in self.shards:
            self.shards[name] = ConnectionShard(
                self.settings, name, peers=self._peers, render=words
            )
        await self.shards[name].start()
        return self.shards[name]

    async def _peers(self, shard: str, payload: bytes) -> bytes:
        if shard in self.cut_off:
            raise ConnectionError(f"{shard} is unreachable")
        return await self.shards[shard].publish(payload)

    async def people(self, *profiles: Profile) -> None:
        for profile in profiles:
            await Profiles(self.redis).put(profile)

    async def deliver(self, *deliveries: Delivery, via: str = "a") -> list[SendResult]:
        shard = await self.shard(via)
        batch = encode(DeliveryBatch(list(deliveries)))
        return Answers.decode(await shard.deliver(batch))

    @asynccontextmanager
    async def open(self, shard: str = "a", **options: Any) -> AsyncIterator[Client]:
        """A connected socket that has said nothing."""
        port = await (await self.shard(shard)).start()
        async with connect(f"ws://127.0.0.1:{port}/", compression=None, **options) as ws:
            yield Client(ws)

    @asynccontextmanager
    async def client(
        self, user: str = "u1", shard: str = "a", resume: dict[str, Any] | None = None,
        **options: Any,
    ) -> AsyncIterator[tuple[Client, dict[str, Any]]]:  # fmt: skip
        """A socket that said hello, and the `ready` it got."""
        async with self.open(shard, **options) as client:
            ticket = await self.tickets.issue(f"user:{user}")
            await client.say(op="hello", ticket=ticket, **({"resume": resume} if resume else {}))
            ready = await client.hear()
            assert ready["op"] == "ready", ready
            yield client, ready

    async def close(self) -> None:
        for shard in self.shards.values():
            await shard.stop()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when `holds` does."""
    async with asyncio.timeout(SECONDS):
        while not await holds():
            await asyncio.sleep(0.01)


def outcomes(results: Sequence[SendResult]) -> list[tuple[str, str]]:
    """(state, provider or reason) of each."""
    return [(str(r.state), r.provider or r.reason) for r in results]
