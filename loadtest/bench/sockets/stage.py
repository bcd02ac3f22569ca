"""The processes of the bench: a store, one shard, and the clients of several processes."""

import asyncio
import random
import socket
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
from msgspec.structs import replace
from redis.asyncio import Redis

from loadtest.bench.engines import Engines
from loadtest.bench.sockets.clients import name
from loadtest.bench.sockets.link import Away, Child
from loadtest.people import person
from tocsin.records import Profile
from tocsin.settings import Settings
from tocsin.store import Profiles, connect, keys

PROCESSES: Final = 2
_LOT: Final = 1_000
_PORTS: Final = (20_000, 32_000)
_ANY_RATE: Final = 1_000_000.0


class Place(NamedTuple):
    """Where a client's inbox stands."""

    number: int
    epoch: str
    offset: int


class Frame(NamedTuple):
    """A notification that a client read, at a moment of the monotonic clock."""

    number: int
    offset: int
    at: float


class Stage:
    """One store, at most one shard, and clients spread over PROCESSES processes."""

    def __init__(self, engines: Engines, redis: Redis, directory: Path) -> None:
        self._engines, self.redis, self._directory = engines, redis, directory
        self._port = _free_port()
        self._shard: Child | None = None
        self._clients: list[Child] = []

    @property
    def settings(self) -> Settings:
        return self._engines.settings

    def _environment(self, accepts: float) -> dict[str, str]:
        return {
            "TOCSIN_REDIS_URL": self.settings.redis_url.get_secret_value(),
            "TOCSIN_DATA_DIR": str(self._directory),
            "TOCSIN_WS_PORT": str(self._port),
            "TOCSIN_JWT_SECRET": "bench-bench-bench-bench-bench-bench",
            "TOCSIN_SHARD_ACCEPTS": str(accepts),
            "TOCSIN_LOG_LEVEL": "WARNING",
        }

    async def shard(self, accepts: float = _ANY_RATE) -> Child:
        """A shard that serves, in place of the one before, if any."""
        self.kill_shard()
        module = "loadtest.bench.sockets.shard"
        self._shard = Child(module, self._environment(accepts), self._directory / "shard.log")
        await self._shard.call("start")
        return self._shard

    def kill_shard(self) -> None:
        """`kill -9`; nothing where there is none."""
        if self._shard:
            self._shard.kill()
            self._shard.end()
            self._shard = None

    async def call(self, verb: str, *arguments: Any) -> Any:
        """Of the shard. Raises `Away` while there is none."""
        if self._shard is None:
            raise Away("the shard")
        return await self._shard.call(verb, *arguments)

    async def usage(self, collect: bool = False) -> dict[str, float]:
        """The shard's CPU seconds and memory, and the store's CPU seconds."""
        found: dict[str, float] = await self.call("usage", collect)
        used = psutil.Process(self._engines.pid("valkey")).cpu_times()
        return found | {"store": used.user + used.system}

    async def people(self, count: int) -> None:
        """Profiles for the deliveries, straight into the store."""
        profiles = Profiles(self.redis)
        for start in range(0, count, _LOT):
            numbers = range(start, min(start + _LOT, count))
            made = [replace(person(name(n)), user_id=name(n)) for n in numbers]
            await profiles.change_many({each.user_id: _always(each) for each in made})

    def crowds(self) -> list[Child]:
        """New client processes, in place of those before, if any."""
        self.leave()
        environment, log = self._environment(_ANY_RATE), self._directory / "clients.log"
        module = "loadtest.bench.sockets.clients"
        self._clients = [Child(module, environment, log) for _ in range(PROCESSES)]
        return self._clients

    def leave(self) -> None:
        """Every client is gone."""
        for child in self._clients:
            child.kill()
            child.end()
        self._clients = []

    async def open(self, numbers: Sequence[int], at_once: int = 100) -> list[Place]:
        """Connect these clients; a number always goes to the same process."""
        calls = [
            child.call("open", part, at_once // PROCESSES)
            for child, part in zip(self._clients, _parts(numbers), strict=True)
        ]
        return [Place(*place) for part in await asyncio.gather(*calls) for place in part]

    async def close(self, numbers: Sequence[int]) -> None:
        """These clients leave."""
        parts = zip(self._clients, _parts(numbers), strict=True)
        await asyncio.gather(*(child.call("close", part) for child, part in parts))

    async def ask(self, verb: str, *arguments: Any) -> list[Any]:
        """Of every client process; the answers."""
        return await asyncio.gather(*(c.call(verb, *arguments) for c in self._clients))

    async def received(self, numbers: Sequence[int], seconds: float) -> list[Frame]:
        """What the clients read since the last call, once there is a notification for each of
        `numbers` (one may be named more than once), or after `seconds`."""
        calls = [
            child.call("received", len(part), seconds)
            for child, part in zip(self._clients, _parts(numbers), strict=True)
        ]
        found: list[Frame] = []
        for people, offsets, times in await asyncio.gather(*calls):
            who, which, when = array("I", people), array("I", offsets), array("d", times)
            found += map(Frame, who, which, when)
        return found

    def end(self) -> None:
        """End what was started."""
        self.leave()
        self.kill_shard()


def _parts(numbers: Sequence[int]) -> list[list[int]]:
    return [[n for n in numbers if n % PROCESSES == index] for index in range(PROCESSES)]


def _always(profile: Profile) -> Any:
    return lambda _: profile


@asynccontextmanager
async def stage(directory: Path) -> AsyncIterator[Stage]:
    """A store and room for the rest; all of it ends on exit."""
    with Engines(directory, log=False) as engines:
        redis = await connect(engines.settings)
        await redis.set(keys.STORE_READY, "bench")
        made = Stage(engines, redis, directory)
        try:
            yield made
        finally:
            made.end()
            await redis.aclose()


def now() -> float:
    """The clock that all processes of a host share."""
    return time.monotonic()


def _free_port() -> int:
    """One that no outgoing connection is given, or it might be taken while the shard is away."""
    while True:
        port = random.randint(*_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
