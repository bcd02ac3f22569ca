"""`python -m loadtest.bench.sockets.clients FD`: some thousands of clients, told what to do by the
bench. Before each try they get a ticket, as the API would give it."""

import asyncio
import os
import random
import socket
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

import uvloop
from redis.asyncio import Redis

from loadtest.bench.sockets import wire
from loadtest.bench.sockets.client import LOST, Client, Counts, SentAway, pause
from loadtest.bench.sockets.link import open_many_files, serve
from tocsin import settings as settings_module
from tocsin.records import encode
from tocsin.settings import Settings
from tocsin.store import connect
from tocsin.store.tickets import Tickets

_TRY_SECONDS: Final = 30.0
_TICKET_SECONDS: Final = 600
_BIND_LATE: Final = 24
"""IP_BIND_ADDRESS_NO_PORT: the port is chosen when it connects, so that pairs are counted."""

_PER_ADDRESS: Final = 5_000


def name(number: int) -> str:
    """The user of client `number`."""
    return f"bench-{number}"


def source(number: int) -> str:
    """The loopback address client `number` comes from: one has about 28,000 ports."""
    return f"127.0.0.{2 + number // _PER_ADDRESS}"


class Crowd:
    """The clients of this process, by number."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._settings, self._tickets = settings, Tickets(redis)
        self._request = wire.request(settings.host, settings.ws_port, settings.public_url)
        self._clients: dict[int, Client] = {}
        self._staying: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(1)
        self.counts = Counts()

    async def open(self, numbers: list[int], at_once: int) -> list[Any]:
        """Connect these; (number, epoch, offset) of each. Raises what the last try raised."""
        self._at_once = asyncio.Semaphore(at_once)
        fresh = [Client(n, self.counts) for n in numbers]
        self._clients |= {client.number: client for client in fresh}
        await asyncio.gather(*(self._patiently(client) for client in fresh))
        return [(client.number, client.epoch, client.offset) for client in fresh]

    async def _patiently(self, client: Client) -> None:
        async with self._at_once:
            for attempt in range(8):
                try:
                    await self._connect(client)
                except (SentAway, OSError, TimeoutError) as error:
                    if attempt == 7:
                        raise
                    await asyncio.sleep(pause(LOST, _after(error), attempt, random.random()))
                else:
                    return

    async def _connect(self, client: Client) -> None:
        """One try, to the `ready`. Raises `SentAway`, `OSError`, `TimeoutError`."""
        self.counts.tries += 1
        ticket = await self._tickets.issue(f"user:{name(client.number)}", _TICKET_SECONDS)
        hello: dict[str, Any] = {"op": "hello", "ticket": ticket}
        if client.epoch:
            hello["resume"] = {"epoch": client.epoch, "offset": client.offset}
        client.prepare(self._request, wire.masked(wire.TEXT, encode(hello)))
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        try:
            async with asyncio.timeout(_TRY_SECONDS):
                sock.setsockopt(socket.IPPROTO_IP, _BIND_LATE, 1)
                sock.bind((source(client.number), 0))
                await loop.sock_connect(sock, (self._settings.host, self._settings.ws_port))
                await loop.create_connection(lambda: client, sock=sock)
                await client.arrived
        except BaseException:
            client.close()
            sock.close()
            raise

    async def stay(self) -> None:
        """From now on whoever is cut off comes back, as often as it takes."""
        for client in self._clients.values():
            self._staying.add(asyncio.create_task(self._stay(client)))

    async def _stay(self, client: Client) -> None:
        while True:
            code, retry_after, attempt = await client.gone, None, 0
            while True:
                await asyncio.sleep(pause(code, retry_after, attempt, random.random()))
                try:
                    await self._connect(client)
                except (SentAway, OSError, TimeoutError) as error:
                    code, retry_after, attempt = LOST, _after(error), attempt + 1
                else:
                    break

    async def back(self, since: float) -> int:
        """How many have been greeted after the moment `since` (monotonic) and are still there."""
        return sum(
            c.ready_at > since and c.arrived.done() and not c.gone.done()
            for c in self._clients.values()
        )

    async def close(self, numbers: list[int]) -> None:
        """These leave for good."""
        for number in numbers:
            if client := self._clients.pop(number, None):
                client.close()

    async def received(self, frames: int, seconds: float) -> list[Any]:
        """Wait until so many notifications came since the last call; who, which offset, when."""
        counts, end = self.counts, time.monotonic() + seconds
        while True:
            if len(counts.times) >= frames or time.monotonic() > end:
                break
            await asyncio.sleep(0.005)
        found = [counts.people.tobytes(), counts.offsets.tobytes(), counts.times.tobytes()]
        counts.forget()
        return found

    async def positions(self) -> list[Any]:
        """(number, epoch, offset) of each."""
        return [(c.number, c.epoch, c.offset) for c in self._clients.values()]

    async def seen(self) -> dict[str, Any]:
        """What happened to them so far."""
        c = self.counts
        return {
            "gaps": c.gaps, "repeats": c.repeats, "told": c.told, "sent_away": c.sent_away,
            "tries": c.tries, "closed": {str(code): n for code, n in c.closed.items()},
        }  # fmt: skip


def _after(error: Exception) -> float | None:
    return error.retry_after if isinstance(error, SentAway) else None


def verbs(crowd: Crowd) -> dict[str, Any]:
    """What the bench may ask."""
    named: Iterable[Any] = (
        crowd.open, crowd.stay, crowd.back, crowd.close, crowd.received, crowd.positions,
        crowd.seen,
    )  # fmt: skip
    return {verb.__name__: verb for verb in named}


async def main(descriptor: int) -> None:
    """Serve until the bench hangs up; the process ends without more ado."""
    settings = settings_module.load()
    await serve(descriptor, verbs(Crowd(settings, await connect(settings))))
    os._exit(0)


if __name__ == "__main__":
    open_many_files()
    uvloop.run(main(int(sys.argv[1])))
