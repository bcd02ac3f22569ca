"""Replies come in order, whole or in pieces, and never to the wrong command."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.providers.email_smtp import refused
from actors.providers.mime import dotted
from actors.providers.smtp_wire import MALFORMED, Reply, Wire

COMMANDS = (b"MAIL FROM:<a@example.com>\r\n", b"RCPT TO:<b@example.com>\r\n", b"DATA\r\n")


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


def made(pipelining: bool = True, timeout: float = 60) -> tuple[Wire, Transport]:
    transport = Transport()
    return Wire(transport, timeout, pipelining), transport


async def offered(wire: Wire) -> "asyncio.Task[list[Reply]]":
    task = asyncio.create_task(wire.offer(COMMANDS))
    await asyncio.sleep(0)
    return task


async def test_commands_leave_together_where_the_server_takes_it() -> None:
    wire, transport = made()
    task = await offered(wire)
    assert transport.written == [b"".join(COMMANDS)]
    wire.data_received(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go on\r\n")
    assert await task == [Reply(250, "2.1.0 Ok"), Reply(250, "2.1.5 Ok"), Reply(354, "Go on")]
    assert wire.open


async def test_one_after_the_other_elsewhere_and_none_after_a_refusal() -> None:
    wire, transport = made(pipelining=False)
    task = await offered(wire)
    wire.data_received(b"250 Ok\r\n")
    await asyncio.sleep(0)
    wire.data_received(b"550 5.1.1 No\r\n")
    assert await task == [Reply(250, "Ok"), Reply(550, "5.1.1 No")]
    assert transport.written == list(COMMANDS[:2])


SAID = (
    b"250-2.1.0 Sender\r\n250 2.1.0 Ok\r\n"
    b"550-5.1.1 No such\r\n550 5.1.1 mailbox\r\n"
    b"503 5.5.1 No\r\n"
)


@given(st.sets(st.integers(1, len(SAID) - 1), max_size=20))
async def test_replies_may_come_in_any_pieces(cuts: set[int]) -> None:
    wire, _ = made()
    task = await offered(wire)
    places = [0, *sorted(cuts), len(SAID)]
    for start, end in pairwise(places):
        wire.data_received(SAID[start:end])
    replies = await task
    assert replies == [
        Reply(250, "2.1.0 Sender"),
        Reply(550, "5.1.1 No such"),
        Reply(503, "5.5.1 No"),
    ]
    assert refused(replies) == ("rcpt", replies[1])
    assert wire.open


@pytest.mark.parametrize("line", [b"hello there\r\n", b"\r\n", b"25\r\n", b"-1 x\r\n"])
async def test_what_is_no_reply_is_malformed(line: bytes) -> None:
    wire, _ = made()
    task = asyncio.create_task(wire.ask(b"RSET\r\n", 1))
    await asyncio.sleep(0)
    wire.data_received(line)
    assert (await task)[0].code == MALFORMED


@pytest.mark.parametrize("said", [b"421 4.3.2 Shutting down\r\n", b"42", b"250 Ok\r\n250 Ok\r\n"])
async def test_what_nobody_asked_for_ends_the_connection(said: bytes) -> None:
    wire, transport = made()
    wire.data_received(said)
    assert transport.closed
    with pytest.raises(ConnectionError):
        await wire.ask(b"RSET\r\n", 1)


async def test_one_reply_too_many_ends_the_connection_and_is_nobodys() -> None:
    wire, transport = made()
    task = asyncio.create_task(wire.ask(b"RSET\r\n", 1))
    await asyncio.sleep(0)
    wire.data_received(b"250 Ok\r\n250 What\r\n")
    assert transport.closed
    wire.connection_lost(None)
    assert (await task)[0] == Reply(250, "Ok")


async def test_endless_replies_end_the_connection() -> None:
    wire, transport = made()
    task = await offered(wire)
    wire.data_received(b"2" * 40_000)
    assert transport.closed
    wire.connection_lost(None)
    with pytest.raises(ConnectionError):
        await task


async def test_a_connection_that_ends_gives_the_replies_that_came() -> None:
    wire, _ = made()
    task = await offered(wire)
    wire.data_received(b"421 4.3.2 Shutting down\r\n")
    wire.connection_lost(None)
    assert refused(await task) == ("mail", Reply(421, "4.3.2 Shutting down"))


async def test_missing_replies_without_a_refusal_are_a_lost_connection() -> None:
    with pytest.raises(ConnectionError):
        refused([Reply(250, "Ok"), Reply(250, "Ok")])
    assert refused([Reply(250, ""), Reply(250, ""), Reply(354, "")]) is None


async def test_silence_is_a_timeout() -> None:
    wire, _ = made(timeout=0.001)
    with pytest.raises(TimeoutError):
        await wire.ask(b"RSET\r\n", 1)


@given(st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x.", b"text"]), max_size=8))
def test_a_text_ends_only_where_it_ends(lines: list[bytes]) -> None:
    mail = b"\r\n".join([b"From: x", *lines])
    sent = dotted(mail)
    body, end, rest = sent.partition(b"\r\n.\r\n")
    assert end
    assert not rest
    read = [line[1:] if line.startswith(b".") else line for line in body.split(b"\r\n")]
    assert b"\r\n".join(read).rstrip(b"\r\n") == mail.rstrip(b"\r\n")
