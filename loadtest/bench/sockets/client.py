"""One person's browser: upgrades, says hello, follows its offsets, and comes back when cut off."""

import asyncio
import time
from array import array
from typing import Final, cast

import msgspec

from loadtest.bench.sockets import wire

LOST: Final = 1006
"""The code of a connection that ended without a word."""

_NOW: Final = frozenset({1012, 4408, 4413})
_FIRST, _LONGEST = 1.0, 30.0


class SentAway(Exception):
    """The server does not take this socket now; again after so many seconds (None: not said)."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.retry_after = status, retry_after


class _Ready(msgspec.Struct):
    epoch: str
    offset: int
    recovered: bool | None = None


class Counts:
    """What a crowd saw. `gaps` and `repeats` are those nobody told of; `told` the honest ones."""

    def __init__(self) -> None:
        self.gaps = self.repeats = self.told = self.sent_away = self.tries = 0
        self.closed: dict[int, int] = {}
        self.forget()

    def forget(self) -> None:
        """Begin the record of frames anew."""
        self.people, self.offsets, self.times = array("I"), array("I"), array("d")


def pause(code: int, retry_after: float | None, attempt: int, chance: float) -> float:
    """Seconds until the next try, as the table of close codes and Retry-After ask; `chance` in
    [0, 1) is the jitter. `attempt` counts from 0 since the last success."""
    if retry_after is not None:
        return retry_after + chance * max(1.0, retry_after)
    if code in _NOW:
        return 2.0 * chance
    longest = min(_LONGEST, _FIRST * 2.0 ** min(attempt, 10))
    return longest * (0.5 + chance / 2)


class Client(asyncio.Protocol):
    """A position in an inbox, over as many connections as it takes."""

    __slots__ = (
        "_hello", "_reader", "_request", "arrived", "counts", "epoch", "gone", "number", "offset",
        "ready_at", "transport",
    )  # fmt: skip

    def __init__(self, number: int, counts: Counts) -> None:
        self.number, self.counts = number, counts
        self.epoch, self.offset, self.ready_at = "", 0, 0.0
        self.transport: asyncio.Transport | None = None
        self._reader: wire.Reader | None = None
        self._request = self._hello = b""

    def prepare(self, request: bytes, hello: bytes) -> None:
        """Before each connection: `arrived` ends with `ready`, `gone` with the close code."""
        loop = asyncio.get_running_loop()
        self.arrived: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[int] = loop.create_future()
        self._reader, self._request, self._hello = None, request, hello

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's classes; they only behave so
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self._upgraded(data)
            return
        now = time.monotonic()
        for opcode, payload in self._reader.frames(data):
            if opcode == wire.TEXT:
                if offset := wire.offset_of(payload):
                    self._took(offset, now)
                else:
                    self._heard(payload, now)
            else:
                self._control(opcode, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(LOST)

    def close(self) -> None:
        """Leave for good."""
        if self.transport:
            self.transport.abort()

    def _upgraded(self, data: bytes) -> None:
        found = wire.answer(data)
        if found is None:
            # on loopback a head comes in one piece; if not, the try ends and another follows
            self._refused(SentAway(0, None))
            return
        answer, rest = found
        if answer.status != 101:
            self._refused(SentAway(answer.status, answer.retry_after))
            return
        assert self.transport
        self._reader = wire.Reader()
        self.transport.write(self._hello)
        if rest:
            self.data_received(rest)

    def _refused(self, why: SentAway) -> None:
        self.counts.sent_away += 1
        if not self.arrived.done():
            self.arrived.set_exception(why)
        self.close()

    def _took(self, offset: int, now: float) -> None:
        if offset == self.offset + 1:
            self.offset = offset
        elif offset <= self.offset:
            self.counts.repeats += 1
        else:
            self.counts.gaps += 1
            self.offset = offset
        counts = self.counts
        counts.people.append(self.number)
        counts.offsets.append(offset)
        counts.times.append(now)

    def _heard(self, payload: bytes, now: float) -> None:
        if not payload.startswith(b'{"op":"ready"'):
            return
        ready = msgspec.json.decode(payload, type=_Ready)
        if ready.recovered is not True:
            self.counts.told += ready.recovered is False
            self.epoch, self.offset = ready.epoch, ready.offset
        elif ready.epoch != self.epoch:
            self.counts.gaps += 1
        self.ready_at = now
        if not self.arrived.done():
            self.arrived.set_result(None)

    def _control(self, opcode: int, payload: bytes) -> None:
        assert self.transport
        if opcode == wire.PING:
            self.transport.write(wire.masked(wire.PONG, payload))
        elif opcode == wire.CLOSE:
            self.transport.write(wire.masked(wire.CLOSE, payload))
            self._over(int.from_bytes(payload[:2]))

    def _over(self, code: int) -> None:
        if not self.gone.done():
            self.counts.closed[code] = self.counts.closed.get(code, 0) + 1
            self.gone.set_result(code)
        if not self.arrived.done():
            self.arrived.set_exception(ConnectionError(str(code)))
