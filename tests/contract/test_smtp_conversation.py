"""Mail servers as they come: with pipelining or without, giving up at any point."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from actors.providers.email_smtp import EmailSmtp
from tests.unit.actors.makers import message
from tocsin.errors import AddressGone, Ambiguous, Permanent, ProviderDown, SendError, Transient
from tocsin.settings import Smtp

pytestmark = pytest.mark.integration

Answer = Callable[[bytes], bytes | None]
"""To a command (or, for the text, ``.``) a reply; None cuts the connection."""


def obliging(line: bytes) -> bytes | None:
    verb = line[:4].upper()
    return {b"DATA": b"354 Go on\r\n", b"RCPT": b"250 2.1.5 Ok\r\n"}.get(verb, b"250 2.0.0 Ok\r\n")


class Server:
    """Answers each command by `answer`; keeps what came, piece by piece as it was read."""

    def __init__(self) -> None:
        self.answer: Answer = obliging
        self.extensions = [b"PIPELINING"]
        self.pieces: list[bytes] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []
        self._listening: asyncio.Server | None = None

    async def listen(self) -> str:
        """Its URL."""
        self._listening = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return f"smtp://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._listening
        self._listening.close()
        for writer in self.writers:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        writer.write(b"220 mx ESMTP\r\n")
        with suppress(ConnectionError):
            await self._converse(reader, writer)
        writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest, in_text = b"", False
        while piece := await reader.read(65_536):
            self.pieces.append(piece)
            *lines, rest = (rest + piece).split(b"\r\n")
            for line in lines:
                if in_text and line != b".":
                    continue
                reply = self._greeted(line) or self.answer(line)
                if reply is None:
                    return
                in_text = reply.startswith(b"354")
                writer.write(reply)

    def _greeted(self, line: bytes) -> bytes:
        if not line.startswith(b"EHLO"):
            return b""
        lines = [b"250-mx", *(b"250-%b" % each for each in self.extensions), b"250 SIZE 1000000"]
        return b"".join(b"%b\r\n" % each for each in lines)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    yield made
    await made.close()


@pytest.fixture
async def mail(server: Server) -> AsyncIterator[EmailSmtp]:
    made = EmailSmtp(Smtp(url=await server.listen(), connections=1), timeout=30)
    yield made
    await made.close()


async def send(mail: EmailSmtp) -> SendError | None:
    try:
        await mail.send(message(address="a@example.com"))
    except SendError as error:
        return error
    return None


def unless(verb: bytes, reply: bytes | None) -> Answer:
    return lambda line: reply if line[:4] == verb else obliging(line)


async def test_a_message_is_two_pieces_and_a_connection_serves_many(
    server: Server, mail: EmailSmtp
) -> None:
    assert [await send(mail) for _ in range(3)] == [None] * 3
    assert server.connections == 1
    offers = [piece for piece in server.pieces if piece.startswith(b"MAIL")]
    assert len(offers) == 3
    assert all(offer.endswith(b"\r\nDATA\r\n") and b"RCPT TO:<a@" in offer for offer in offers)


async def test_a_server_without_pipelining_is_asked_one_thing_at_a_time(
    server: Server, mail: EmailSmtp
) -> None:
    server.extensions = []
    assert await send(mail) is None
    asked = server.pieces[1:4]
    assert [piece[:4] for piece in asked] == [b"MAIL", b"RCPT", b"DATA"]
    assert all(piece.count(b"\r\n") == 1 for piece in asked)


@pytest.mark.parametrize("extensions", [[b"PIPELINING"], []])
@pytest.mark.parametrize(
    ("verb", "reply", "kind"),
    [
        (b"MAIL", b"553 5.1.8 Bad sender\r\n", Permanent),
        (b"RCPT", b"550 5.1.1 No such mailbox\r\n", AddressGone),
        (b"RCPT", b"452 4.2.2 Full\r\n", Transient),
        (b"DATA", b"454 4.7.0 Too many\r\n", Transient),
        (b".", b"554 5.6.0 Content refused\r\n", Permanent),
        (b"MAIL", b"gibberish\r\n", ProviderDown),
        (b".", b"gibberish\r\n", Ambiguous),
    ],
)
async def test_a_refusal_is_of_the_command_it_answers_and_the_next_message_goes(
    server: Server,
    mail: EmailSmtp,
    extensions: list[bytes],
    verb: bytes,
    reply: bytes,
    kind: type[SendError],
) -> None:
    server.extensions = extensions
    server.answer = unless(verb, reply)
    assert type(await send(mail)) is kind
    server.answer = obliging
    assert await send(mail) is None


async def test_a_text_asked_for_after_a_refusal_is_empty(server: Server, mail: EmailSmtp) -> None:
    server.answer = unless(b"RCPT", b"550 5.1.1 No such mailbox\r\n")
    assert isinstance(await send(mail), AddressGone)
    assert [piece for piece in server.pieces if not piece.startswith((b"EHLO", b"MAIL"))] == [
        b".\r\n",
        b"RSET\r\n",
    ]


async def test_a_connection_lost_before_the_text_is_not_ambiguous(
    server: Server, mail: EmailSmtp
) -> None:
    server.answer = unless(b"DATA", None)
    assert isinstance(await send(mail), ProviderDown)


async def test_a_connection_lost_after_the_text_is_ambiguous(
    server: Server, mail: EmailSmtp
) -> None:
    server.answer = unless(b".", None)
    assert isinstance(await send(mail), Ambiguous)


async def test_a_kept_connection_that_was_given_up_is_replaced(
    server: Server, mail: EmailSmtp
) -> None:
    assert await send(mail) is None

    def once(line: bytes) -> bytes | None:
        server.answer = obliging
        return None

    server.answer = once
    assert await send(mail) is None
    assert server.connections == 2


async def test_a_goodbye_between_messages_is_no_answer_to_the_next(
    server: Server, mail: EmailSmtp
) -> None:
    assert await send(mail) is None
    server.writers[0].write(b"421 4.4.2 Idle for too long\r\n")
    server.writers[0].close()
    await server.writers[0].wait_closed()
    while (found := await send(mail)) is not None:
        # it was said just when we began
        assert isinstance(found, ProviderDown)
    assert server.connections == 2


async def test_silence_before_the_text_is_not_ambiguous_and_after_it_is(server: Server) -> None:
    smtp = Smtp(url=await server.listen(), connections=1)
    mail = EmailSmtp(smtp, timeout=1)
    server.answer = unless(b"DATA", b"")
    assert isinstance(await send(mail), ProviderDown)
    server.answer = unless(b".", b"")
    found: SendError | None = None
    while not any(b"Subject:" in piece for piece in server.pieces):
        found = await send(mail)  # where the machine is busy a second may not do for the rest
    assert isinstance(found, Ambiguous)
    await mail.close()
