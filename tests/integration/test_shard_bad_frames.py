"""What Autobahn would send, and worse, against a shard: the right code, and no harm to others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from actors.sockets.socket import Socket
from tests.integration.raw_socket import (
    BINARY,
    CONT,
    PING,
    PONG,
    SECONDS,
    TEXT,
    close,
    frame,
    opened,
)
from tests.integration.shard_clients import Shop, delivery
from tocsin.records import Profile
from tocsin.settings import Settings

pytestmark = pytest.mark.integration

PING_JSON = b'{"op":"ping"}'
PIECE = b"x" * 40_000

BAD: dict[str, tuple[bytes, int]] = {
    "a frame without mask": (frame(TEXT, PING_JSON, masked=False), 1002),
    "reserved bit 1": (frame(TEXT, PING_JSON, rsv=4), 1002),
    "reserved bit 2": (frame(TEXT, PING_JSON, rsv=2), 1002),
    "reserved bit 3": (frame(TEXT, PING_JSON, rsv=1), 1002),
    "reserved data opcode": (frame(0x3, PING_JSON), 1002),
    "reserved control opcode": (frame(0xB), 1002),
    "a fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "a fragmented close": (frame(0x8, b"\x03\xe8", fin=False), 1002),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a continuation of nothing": (frame(CONT, PING_JSON), 1002),
    "a new message inside a fragmented one": (
        frame(TEXT, b'{"op"', fin=False) + frame(TEXT, PING_JSON), 1002,
    ),
    "a close inside a fragmented message": (frame(TEXT, b"{", fin=False) + close(1000), 1002),
    "close 1005": (close(1005), 1002),
    "close 1006": (close(1006), 1002),
    "close 999": (close(999), 1002),
    "close 2999": (close(2999), 1002),
    "a close of one byte": (frame(0x8, b"\x03"), 1002),
    "a close whose reason is no text": (close(1000, b"\xff\xfe"), 1007),
    "no UTF-8": (frame(TEXT, b'{"op":"\xc3\x28"}'), 1007),
    "no UTF-8 over fragments": (
        frame(TEXT, b'{"op":"\xe2\x82', fin=False) + frame(CONT, b'\x28"}'), 1007,
    ),
    "half a surrogate": (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "a binary frame": (frame(BINARY, PING_JSON), 1003),
    "a fragmented binary frame": (frame(BINARY, b"x", fin=False) + frame(CONT, b"y"), 1003),
    "one byte too many": (frame(TEXT, b"x" * (64 * 1024 + 1)), 1009),
    "a length of 2^40": (b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"mask", 1009),
    "too much over fragments": (
        frame(TEXT, PIECE, fin=False) + frame(CONT, PIECE), 1009,
    ),
    "a second hello": (frame(TEXT, b'{"op":"hello","ticket":"x"}'), 4400),
    "no JSON": (frame(TEXT, b"]"), 4400),
    "an empty message": (frame(TEXT), 4400),
    "JSON too deep": (frame(TEXT, b'{"x":' + b"[" * 60_000), 4400),
    "200 frames at once": (frame(TEXT, PING_JSON) * 200, 4429),
}  # fmt: skip


@pytest.fixture
async def shop(store_settings: Settings, redis: Redis) -> AsyncIterator[Shop]:
    shop = Shop(store_settings, redis)
    await shop.people(Profile("u1"), Profile("u2"))
    yield shop
    await shop.close()


async def greeted(shop: Shop) -> tuple[int, str]:
    """A port and a ticket for it."""
    return await (await shop.shard()).start(), await shop.tickets.issue("user:u1")


async def test_each_is_refused_with_its_code_and_a_neighbour_hears_everything(shop: Shop) -> None:
    async with shop.client() as (neighbour, _), shop.client("u2") as (stranger, _):
        for number, (name, (bad, code)) in enumerate(BAD.items(), 1):
            async with opened(*await greeted(shop)) as raw:
                raw.send(bad)
                await shop.deliver(delivery(number), delivery(number, "u2"))
                assert await raw.close_code() == code, name
            for client in (neighbour, stranger):
                assert await client.notifications(1) == [number], name
                await client.quiet()


async def test_what_is_unusual_and_right_is_understood(shop: Shop) -> None:
    async with opened(*await greeted(shop)) as raw:
        raw.send(frame(PING, b"p" * 125))
        assert await raw.hear() == (PONG, b"p" * 125)
        raw.send(frame(PONG, b"nobody asked"))
        text = '{"op":"watch","skus":["Ü€😀"],"x":1}'.encode()
        raw.send(*(frame(CONT if i else TEXT, text[i : i + 1], fin=False) for i in range(3)))
        raw.send(frame(PING, b"between"))
        assert await raw.hear() == (PONG, b"between")
        raw.send(*(frame(CONT, text[i : i + 1], fin=False) for i in range(3, len(text))))
        raw.send(frame(CONT))
        assert b'"field":"x"' in (await raw.hear())[1]
        raw.send(frame(TEXT, PING_JSON))
        assert await raw.hear() == (TEXT, b'{"op":"pong"}')
        raw.send(frame(TEXT, b'{"op":"ack","offset":"' + b"7" * (64 * 1024 - 24) + b'"}'))
        assert b'"field":"offset"' in (await raw.hear())[1]
        raw.send(close(4999, b"bye"))
        assert await raw.close_code() == 4999


async def test_the_same_before_hello_ends_as_it_should(shop: Shop) -> None:
    port, _ = await greeted(shop)
    for bad, code in [
        (frame(TEXT, PING_JSON, masked=False), 1002),
        (frame(BINARY, b"x"), 1003),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"x" * 70_000), 1009),
        (frame(TEXT, b'{"op":"hello"}'), 4400),
        (frame(TEXT, b'{"op":"hello","ticket":"invented"}'), 4401),
    ]:
        async with opened(port) as raw:
            raw.send(bad)
            assert await raw.close_code() == code


async def test_what_comes_in_the_middle_of_a_frame_is_no_sign_of_life(shop: Shop) -> None:
    """Pongs there are the frame's payload: bytes come all the time, and never a whole frame."""
    half = frame(TEXT, b"x" * 60_000)[:30_000]
    async with opened(*await greeted(shop)) as raw:
        socket = await only_connection(shop)
        raw.send(half)
        socket.probe()
        assert (await raw.hear())[0] == PING
        raw.send(frame(PONG) * 10)
        async with asyncio.timeout(SECONDS):
            while len(socket.protocol.reader.buffer) < len(half):
                await asyncio.sleep(0.01)
        socket.probe()
        assert await raw.close_code() == 1011


async def test_a_pong_between_two_pings_is_a_sign_of_life(shop: Shop) -> None:
    async with opened(*await greeted(shop)) as raw:
        socket = await only_connection(shop)
        for _ in range(3):
            socket.probe()
            assert (await raw.hear())[0] == PING
            raw.send(frame(PONG))
            async with asyncio.timeout(SECONDS):
                while not socket._heard:
                    await asyncio.sleep(0.01)


async def only_connection(shop: Shop) -> Socket:
    """The shard's side of it."""
    running = (await shop.shard())._running
    assert running is not None
    (found,) = running.server.connections
    assert isinstance(found, Socket)
    return found


async def test_a_21st_socket_of_a_person_is_refused_and_the_20_stay(shop: Shop) -> None:
    port, _ = await greeted(shop)
    async with AsyncExitStack() as stack, shop.client("u2") as (neighbour, _):
        twenty = [
            await stack.enter_async_context(opened(port, await shop.tickets.issue("user:u1")))
            for _ in range(20)
        ]
        async with opened(port) as raw:
            raw.say(op="hello", ticket=await shop.tickets.issue("user:u1"))
            assert await raw.close_code() == 4409
        await shop.deliver(delivery(1), delivery(1, "u2"))
        for raw in twenty:
            assert b'"offset":1' in (await raw.hear())[1]
        assert await neighbour.notifications(1) == [1]


async def test_reading_goes_on_only_when_answers_are_taken_and_the_queue_has_room(
    shop: Shop,
) -> None:
    async with opened(*await greeted(shop)):
        running = (await shop.shard())._running
        assert running is not None
        (socket,) = running.server.connections
        transport, queue = socket.transport, socket.recv_messages
        socket.pause_writing()
        queue.resume()  # what was said is worked off meanwhile
        assert not transport.is_reading()
        queue.paused = True
        socket.resume_writing()
        assert not transport.is_reading()
        queue.paused = False
        queue.resume()
        assert transport.is_reading()


async def test_who_asks_and_takes_no_answers_gets_no_more_of_them(shop: Shop) -> None:
    """Every ping is answered with as many bytes; were it read on, they would fill the memory."""
    port, ticket = await greeted(shop)
    running = (await shop.shard())._running
    assert running is not None
    async with opened(port, ticket) as raw:
        (server_side,) = running.server.connections
        pings = frame(PING, b"x" * 125) * 500
        async with asyncio.timeout(SECONDS):
            while raw.unsent() < 4_000_000:
                raw.send(pings)
                await asyncio.sleep(0)
        assert server_side.transport.get_write_buffer_size() < 1_000_000
        async with shop.client() as (neighbour, _):
            await shop.deliver(delivery(1))
            assert await neighbour.notifications(1) == [1]
