"""A shard of the connected people: it writes inboxes, serves sockets, and says what became of it.

A plain asyncio class; the edge makes it a Ray actor.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError
from websockets.asyncio.server import Server

from actors.sockets.admission import Admission
from actors.sockets.frames import unpack
from actors.sockets.hub import Hub
from actors.sockets.inapp import Inapp
from actors.sockets.item import Render
from actors.sockets.listener import Door, close_spread, listen
from actors.sockets.peers import Call, Peers, nobody
from actors.sockets.reception import Reception
from actors.sockets.stock import StockFeed
from actors.sockets.upkeep import always, cancelled, hear_changes, keep_lease, note_acks
from tocsin.clock import Clock
from tocsin.errors import EngineUnavailable
from tocsin.records import Delivery, DeliveryBatch, encode
from tocsin.settings import Settings
from tocsin.store import Cancellations, Profiles, Subscriptions, Templates, connect
from tocsin.store.clock import StoreClock
from tocsin.store.inbox import Inbox
from tocsin.store.registry import Registry
from tocsin.store.tickets import Tickets
from tocsin.templates import Renderer, versions_of

_batches: Final = msgspec.json.Decoder(DeliveryBatch)


@dataclass(frozen=True)
class _Running:
    client: Redis
    registry: Registry
    hub: Hub
    inapp: Inapp
    door: Door
    server: Server
    port: int
    tasks: Sequence[asyncio.Task[None]]


class ConnectionShard:
    """One shard. `name` must be no other living shard's; a restarted one takes its old name again.

    `peers(shard, payload)` calls `publish` of another shard; without it a shard reaches only its
    own sockets. All methods may run at once. A shard called before `start` starts itself, so that a
    restarted actor writes inboxes at once; after `stop` only `start` brings it back.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        *,
        peers: Call = nobody,
        render: Render | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings, self._name = settings, name
        self._call, self._clock = peers, clock
        self._render = render
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self._stopped = False

    async def start(self) -> int:
        """Serve; again, it changes nothing. The port. Raises `EngineUnavailable`, `ConfigError`."""
        self._stopped = False
        return (await self._started()).port

    async def deliver(self, batch: bytes) -> bytes:
        """A JSON DeliveryBatch of the in-app channel to a JSON list[SendResult] in its order.

        Everything is in the inbox when it returns. Raises what Redis raises: then do it again.
        """
        running = await self._started()
        return encode(await running.inapp.deliver(_batches.decode(batch).deliveries))

    async def broadcast(self, audience: str, frame: bytes) -> int:
        """Send one JSON text frame to an audience's sockets on this shard; how many there were."""
        return (await self._started()).hub.broadcast(audience, frame)

    async def publish(self, payload: bytes) -> bytes:
        """Frames from another shard; a JSON list[bool], whether a socket here has each."""
        return encode((await self._started()).hub.push(unpack(payload)))

    async def drain(self, seconds: float) -> None:
        """Stop accepting, and close the sockets spread over `seconds`; deliveries go on.

        Returns when the last is gone, a few seconds after the window at the latest.
        """
        if running := self._running:
            await close_spread(running.server, running.door, seconds)

    def load(self) -> tuple[int, bool]:
        """How many sockets there are, and whether it accepts more. (0, False) before `start`."""
        if (running := self._running) is None:
            return 0, False
        return running.door.inside, running.server.is_serving()

    async def stop(self) -> None:
        """Drain at once, leave the registry, and let everything go. `start` may follow."""
        self._stopped = True
        async with self._starting:
            await self.drain(0)
            running, self._running = self._running, None
            if running:
                await _let_go(running)

    async def _started(self) -> _Running:
        if self._running is None:
            async with self._starting:
                if self._stopped:
                    raise EngineUnavailable("the shard", self._name, "it is stopping, ask again")
                if self._running is None:
                    self._running = await self._begin()
        return self._running

    async def _begin(self) -> _Running:
        client = await connect(self._settings)
        try:
            return await self._assemble(client)
        except BaseException:
            await client.aclose()
            raise

    async def _assemble(self, client: Redis) -> _Running:
        inbox, registry = Inbox(client), Registry(client, self._name)
        hub = Hub(inbox, registry, Peers(registry, self._call))
        clock = StoreClock(client)
        await clock.look()
        templates, renderer = Templates(client), Renderer(self._settings, self._clock or clock)

        async def load(deliveries: Sequence[Delivery]) -> None:
            await renderer.load(templates, versions_of(deliveries))

        off = Cancellations(client).broadcasts_off
        inapp = Inapp(
            Profiles(client), inbox, off, load, self._render or renderer.render, hub.reach,
            self._clock or clock,
        )  # fmt: skip
        stock = StockFeed(hub, Subscriptions(client).available)
        reception = Reception(Admission(self._settings, Tickets(client)), hub, inbox, stock)
        await registry.reset()
        door = Door(self._settings, self._name, reception, asyncio.get_running_loop().time)
        server = await listen(self._settings, door)
        port = int(next(iter(server.sockets)).getsockname()[1])
        tasks = [
            asyncio.create_task(always(hub.presence.run)),
            asyncio.create_task(always(hub.keepalive.run)),
            asyncio.create_task(always(clock.keep)),
            asyncio.create_task(always(partial(keep_lease, hub))),
            asyncio.create_task(always(partial(note_acks, hub))),
            asyncio.create_task(always(partial(hear_changes, client, hub, stock))),
            asyncio.create_task(always(stock.run)),
        ]
        return _Running(client, registry, hub, inapp, door, server, port, tasks)


async def _let_go(running: _Running) -> None:
    await cancelled(running.tasks)
    await running.hub.settle()
    with suppress(RedisError):
        await running.hub.flush_acks()
    with suppress(RedisError):
        await running.registry.quit()
    await running.client.aclose()
