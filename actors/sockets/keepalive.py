"""Asks every socket now and then whether anybody is there: one task for all of them, since a task
and two timers for each cost 1.6 KB and several times the processor time."""

import asyncio
from typing import Final, Protocol

PING_SECONDS: Final = 20.0
"""Between two pings of a socket; who is silent from one to the next is given up."""

_TICK_SECONDS: Final = 0.1


class Asked(Protocol):
    """A socket as it is seen from here."""

    def probe(self) -> None:
        """Ping, or close if there was no answer to the last one."""


class Keepalive:
    """Sockets in the order in which they are due."""

    def __init__(self, seconds: float = PING_SECONDS) -> None:
        self._seconds = seconds
        self._since: dict[Asked, float] = {}

    def add(self, socket: Asked, now: float) -> None:
        """From `now` on (seconds of the loop's clock) this one is asked."""
        self._since[socket] = now

    def remove(self, socket: Asked) -> None:
        """This one is gone."""
        self._since.pop(socket, None)

    def sweep(self, now: float) -> None:
        """Probe those whose turn it is."""
        before, due = now - self._seconds, []
        for socket, since in self._since.items():
            if since > before:
                break
            due.append(socket)
        for socket in due:
            # to the end of the line
            del self._since[socket]
            self._since[socket] = now
            socket.probe()

    async def run(self) -> None:
        """Sweep until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            self.sweep(clock())
            await asyncio.sleep(_TICK_SECONDS)
