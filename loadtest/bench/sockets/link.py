"""Calls to a process of the bench, over a socket pair: a length, then msgpack."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.errors import EngineUnavailable

Verbs = Mapping[str, Callable[..., Awaitable[Any]]]

_END_SECONDS: Final = 5.0
_LENGTH: Final = 4
_encode, _decode = msgspec.msgpack.encode, msgspec.msgpack.decode


def open_many_files() -> int:
    """Raise this process's limit of open files as far as it may; what it is then."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def serve(descriptor: int, verbs: Verbs) -> None:
    """In the process: answer calls, several at a time, until the caller is gone."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    working: set[asyncio.Task[None]] = set()
    while (message := await _read(reader)) is not None:
        number, verb, arguments = message
        task = asyncio.create_task(_answer(writer, number, verbs[verb], arguments))
        working.add(task)
        task.add_done_callback(working.discard)


async def _answer(
    writer: asyncio.StreamWriter,
    number: int,
    verb: Callable[..., Awaitable[Any]],
    arguments: list[Any],
) -> None:
    try:
        value, wrong = await verb(*arguments), ""
    except Exception as error:
        value, wrong = None, repr(error)
    _write(writer, [number, wrong, value])


def _write(writer: asyncio.StreamWriter, message: Any) -> None:
    data = _encode(message)
    writer.write(len(data).to_bytes(_LENGTH) + data)


async def _read(reader: asyncio.StreamReader) -> Any:
    """The next message; None at the end."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH))
        return _decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


class Away(Exception):
    """The process ended before it answered."""


class Child:
    """`python -m module FD`, in a session of its own so that a Ctrl-C is the bench's to handle."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        self._module, self._log = module, log
        self._ours, theirs = socket.socketpair()
        argv = [sys.executable, "-m", module, str(theirs.fileno())]
        with log.open("ab") as out, theirs:
            self._process = subprocess.Popen(
                argv, stdout=out, stderr=out, env=os.environ | dict(environment),
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def call(self, verb: str, *arguments: Any) -> Any:
        """What the verb returns. Raises `Away` when the process ends first, and `EngineUnavailable`
        with its words for what it raises."""
        writer = await self._connected()
        if self._listening is None or self._listening.done():
            raise Away(self._module)
        self._number += 1
        answered = self._calls[self._number] = asyncio.get_running_loop().create_future()
        _write(writer, [self._number, verb, arguments])
        return await answered

    async def _connected(self) -> asyncio.StreamWriter:
        if self._writer is None:
            reader, self._writer = await asyncio.open_connection(sock=self._ours)
            self._listening = asyncio.create_task(self._listen(reader))
        return self._writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while (message := await _read(reader)) is not None:
            number, wrong, value = message
            answered = self._calls.pop(number)
            if answered.done():
                continue
            if wrong:
                answered.set_exception(EngineUnavailable(self._module, str(self._log), wrong))
            else:
                answered.set_result(value)
        for answered in self._calls.values():
            if not answered.done():
                answered.set_exception(Away(self._module))

    def kill(self) -> None:
        """`kill -9`, and wait for the end."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """Let it go: it ends when we hang up, and is killed if it does not."""
        self._ours.close()
        if self._writer:
            self._writer.close()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
