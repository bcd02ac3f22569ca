"""A socket beneath the protocol: asked whether anybody is there, and written to when it is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from actors.sockets import close_codes
from actors.sockets import wire as server
from actors.sockets.socket import Socket
from loadtest.bench.sockets import wire

pytestmark = pytest.mark.integration
SECONDS = 30


class Bare:
    """A client that answers nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._frames, self._got = wire.Reader(), list[tuple[int, bytes]]()

    async def hear(self) -> tuple[int, bytes]:
        async with asyncio.timeout(SECONDS):
            while not self._got:
                data = await self._reader.read(65_536)
                assert data, "the connection ended"
                self._got += self._frames.frames(data)
        return self._got.pop(0)


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Socket, Bare]]:
    """A socket as the shard has it, and its client."""
    made = asyncio.get_running_loop().create_future()

    async def handler(connection: ServerConnection) -> None:
        made.set_result(connection)
        await connection.wait_closed()

    async with serve(
        handler, "127.0.0.1", 0, create_connection=Socket, compression=None, ping_interval=None
    ) as listening:
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(wire.request("127.0.0.1", port, "http://127.0.0.1"))
        async with asyncio.timeout(SECONDS):
            await reader.readuntil(b"\r\n\r\n")
            socket = await made
        yield socket, Bare(reader, writer)
        writer.close()


async def test_who_does_not_answer_a_ping_is_closed() -> None:
    async with pair() as (socket, client):
        socket.probe()
        assert await client.hear() == (wire.PING, b"")
        socket.probe()
        opcode, payload = await client.hear()
        code = close_codes.INTERNAL
        assert (opcode, payload) == (wire.CLOSE, code.code.to_bytes(2) + code.name.encode())


async def test_half_a_frame_is_no_answer() -> None:
    async with pair() as (socket, client):
        socket.probe()
        assert await client.hear() == (wire.PING, b"")
        client.writer.write(wire.masked(wire.TEXT, b"here") + wire.masked(wire.TEXT, b"half")[:-1])
        async with asyncio.timeout(SECONDS):
            assert await socket.recv() == "here"
        socket.probe()
        assert await client.hear() == (wire.PING, b"")
        client.writer.write(b"f")
        async with asyncio.timeout(SECONDS):
            assert await socket.recv() == "half"
        client.writer.write(wire.masked(wire.TEXT, b"half")[:-1])
        for _ in range(2):
            socket.probe()
        assert await client.hear() == (wire.PING, b"")
        assert (await client.hear())[0] == wire.CLOSE


async def test_who_answers_stays() -> None:
    async with pair() as (socket, client):
        for _ in range(3):
            socket.probe()
            assert await client.hear() == (wire.PING, b"")
            client.writer.write(wire.masked(wire.PONG, b"") + wire.masked(wire.TEXT, b"here"))
            async with asyncio.timeout(SECONDS):
                assert await socket.recv() == "here"
        assert socket.writable


async def test_frames_keep_their_order_between_ours_and_the_librarys() -> None:
    async with pair() as (socket, client):
        socket.write(b"1")
        await socket.send("2")
        socket.write_whole(server.text(b"3"))
        socket.end(close_codes.RESTART)
        socket.write(b"as long as the close has not begun")
        assert [await client.hear() for _ in range(4)] == [
            (wire.TEXT, b"1"), (wire.TEXT, b"2"), (wire.TEXT, b"3"),
            (wire.TEXT, b"as long as the close has not begun"),
        ]  # fmt: skip
        assert (await client.hear())[0] == wire.CLOSE
        socket.write(b"never")
        client.writer.write(wire.masked(wire.CLOSE, (1012).to_bytes(2)))
        client.writer.close()
        async with asyncio.timeout(SECONDS):
            await socket.wait_closed()
        assert socket.close_code == 1012


async def test_writing_to_a_connection_that_broke_is_nothing() -> None:
    async with pair() as (socket, _):
        socket.transport.abort()
        socket.write(b"to nobody")
        async with asyncio.timeout(SECONDS):
            await socket.wait_closed()
        socket.write(b"to nobody")
        socket.probe()
        assert not socket.writable
