"""One socket's conversation from its first frame to its close."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError
from websockets.exceptions import ConnectionClosed

from actors.sockets import close_codes, frames
from actors.sockets.admission import Admission, Grant
from actors.sockets.close_codes import Hangup
from actors.sockets.frames import Ack, ClientFrame, Delete, Hello, Ping, Read, Unread, Watch
from actors.sockets.hub import Hub
from actors.sockets.session import Session
from actors.sockets.socket import Socket
from actors.sockets.stock import StockFeed
from actors.sockets.user import Seat, UserConnection
from tocsin.errors import Invalid
from tocsin.store.inbox import Inbox

HELLO_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)
_Person = tuple[UserConnection, Seat] | None


class Reception:
    """Callable with each new socket; returns when it is closed."""

    def __init__(self, admission: Admission, hub: Hub, inbox: Inbox, stock: StockFeed) -> None:
        self._admission, self._hub, self._inbox, self._stock = admission, hub, inbox, stock

    async def receive(self, socket: Socket) -> None:
        """Converse; every way out has its close code."""
        with suppress(ConnectionClosed):
            try:
                await self._converse(socket)
            except Hangup as end:
                if end.reason:
                    socket.write(frames.frame(frames.Error(end.field, end.reason)))
                await socket.ended(end.code)
            except RedisError as error:
                _log.warning("a socket is sent away, the store fails: %s", error)
                await socket.ended(close_codes.TRY_AGAIN)

    async def _converse(self, socket: Socket) -> None:
        session = Session(socket.loop.time())
        hello = await self._hello(socket, session)
        grant = await self._admission.grant(hello)
        if grant.seconds is None:
            await self._stay(socket, session, grant, hello)
            return
        over = socket.loop.call_later(grant.seconds, socket.end, close_codes.UNAUTHORIZED)
        try:
            await self._stay(socket, session, grant, hello)
        finally:
            over.cancel()

    async def _hello(self, socket: Socket, session: Session) -> Hello:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                message = await socket.recv()
        except TimeoutError:
            raise Hangup(close_codes.HELLO_TIMEOUT) from None
        hello = session.receive(message, socket.loop.time())
        assert isinstance(hello, Hello)
        return hello

    async def _stay(self, socket: Socket, session: Session, grant: Grant, hello: Hello) -> None:
        if grant.audience:
            async with self._hub.member(socket, grant.audience):
                await self._listen(socket, session, None)
        else:
            async with self._hub.seated(socket, grant.user_id, hello.resume) as person:
                await self._listen(socket, session, person)

    async def _listen(self, socket: Socket, session: Session, person: _Person) -> None:
        watched: frozenset[str] = frozenset()
        try:
            async for message in socket:
                try:
                    frame = session.receive(message, socket.loop.time())
                    if isinstance(frame, Watch):
                        self._stock.watch(socket, watched, frame.skus)
                        watched = frame.skus
                    else:
                        await self._answer(socket, frame, person)
                except Invalid as error:
                    answer = frames.frame(frames.Error(error.field, error.reason))
                    await socket.send(answer, text=True)
        finally:
            self._stock.watch(socket, watched, ())

    async def _answer(self, socket: Socket, frame: ClientFrame, person: _Person) -> None:
        if isinstance(frame, Ping):
            await socket.send(frames.PONG, text=True)
        elif person is None:
            raise Invalid("op", "this socket shows no inbox")
        elif isinstance(frame, Ack):
            user, seat = person
            user.ack(seat, frame.offset)
            self._hub.acked(user, seat)
        elif isinstance(frame, Read):
            await self._inbox.mark_read(person[0].user_id, frame.ids)
        elif isinstance(frame, Unread):
            await self._inbox.mark_unread(person[0].user_id, frame.ids)
        elif isinstance(frame, Delete):
            await self._inbox.delete(person[0].user_id, frame.ids)
