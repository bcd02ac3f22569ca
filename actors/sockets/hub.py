"""Everyone connected to this shard, and how frames reach them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, Literal, TypeAlias

import msgspec
from redis.exceptions import RedisError

from actors.sockets import close_codes, frames, wire
from actors.sockets.close_codes import Hangup
from actors.sockets.frames import Push, Ready, Resume
from actors.sockets.keepalive import Keepalive
from actors.sockets.peers import Peers
from actors.sockets.presence import Presence
from actors.sockets.socket import Socket
from actors.sockets.user import Seat, UserConnection
from tocsin.store.inbox import Inbox
from tocsin.store.registry import Registry

STOCK: Final = "stock:"
"""Who watches a SKU is the audience of this prefix and the SKU."""

_log = logging.getLogger(__name__)


class _Changed(msgspec.Struct, frozen=True):
    op: Literal["read", "unread", "deleted"]
    user_id: str
    ids: list[str]
    unread: int


_ChangedFrame: TypeAlias = type[frames.ReadIds | frames.UnreadIds | frames.DeletedIds]
_KINDS: Final[dict[str, _ChangedFrame]] = {
    "read": frames.ReadIds,
    "unread": frames.UnreadIds,
    "deleted": frames.DeletedIds,
}


class Hub:
    """People by id, audiences by name. Lives in one event loop."""

    def __init__(self, inbox: Inbox, registry: Registry, peers: Peers) -> None:
        self.users: dict[str, UserConnection] = {}
        self.audiences: dict[str, set[Socket]] = {}
        self.presence = Presence(registry, self.users)
        self.keepalive = Keepalive()
        self._inbox, self._peers = inbox, peers
        self._fetching: set[asyncio.Task[None]] = set()
        self._changes = msgspec.json.Decoder(_Changed)
        self._acks: dict[tuple[str, str], int] = {}  # (user, epoch) to the furthest offset
        self._acked = asyncio.Event()

    def push(self, pushes: Iterable[Push]) -> list[bool]:
        """For each, whether a socket here has it now."""
        users = self.users
        return [
            (user := users.get(push.user_id)) is not None and user.push(push) for push in pushes
        ]

    async def reach(self, pushes: Sequence[Push]) -> list[bool]:
        """For each, whether a socket anywhere has it now. Raises nothing: the inbox has all."""
        here = self.push(pushes)
        try:
            there = await self._peers.push(pushes)
        except RedisError as error:
            _log.warning("other shards are not told: %s", error)
            return here
        return [a or b for a, b in zip(here, there, strict=True)]

    def broadcast(self, audience: str, frame: bytes) -> int:
        """Send to all of an audience; the number of sockets it went to. Who lags is closed."""
        sent, whole = 0, wire.text(frame)
        for socket in tuple(self.audiences.get(audience, ())):
            if socket.writable:
                socket.write_whole(whole)
                sent += 1
            else:
                socket.end(close_codes.SLOW)
        return sent

    def acked(self, user: UserConnection, seat: Seat) -> None:
        """A device keeps what it was sent: `write_acks` puts that on record."""
        self._keep_ack((user.user_id, seat.epoch), seat.acked)

    async def write_acks(self) -> None:
        """Wait for acknowledgements, then write all there are. Raises what Redis raises, and keeps
        what was not written."""
        await self._acked.wait()
        await self.flush_acks()

    async def flush_acks(self) -> None:
        """Write the acknowledgements there are. Raises what Redis raises, and keeps what was not
        written, also when it is cancelled."""
        self._acked.clear()
        acks, self._acks = self._acks, {}
        try:
            await self._inbox.ack([(name, epoch, far) for (name, epoch), far in acks.items()])
        except BaseException:
            for whose, far in acks.items():
                self._keep_ack(whose, far)
            raise

    def _keep_ack(self, whose: tuple[str, str], far: int) -> None:
        self._acks[whose] = max(far, self._acks.get(whose, 0))
        self._acked.set()

    def changed(self, payload: bytes) -> None:
        """What the store publishes when a person's items changed (keys.INBOX_CHANGED)."""
        told = self._changes.decode(payload)
        if user := self.users.get(told.user_id):
            frame = frames.frame(_KINDS[told.op](told.ids, told.unread))
            user.push(Push(told.user_id, frame))

    def watch(self, socket: Socket, before: Iterable[str], skus: Iterable[str]) -> None:
        """Change which SKUs a socket watches."""
        for sku in before:
            self._quit(STOCK + sku, socket)
        for sku in skus:
            self.audiences.setdefault(STOCK + sku, set()).add(socket)

    @asynccontextmanager
    async def member(self, socket: Socket, audience: str) -> AsyncIterator[None]:
        """While inside, the socket hears an audience's broadcasts."""
        self.audiences.setdefault(audience, set()).add(socket)
        self.keepalive.add(socket, socket.loop.time())
        try:
            socket.write(frames.frame(Ready("", 0, 0)))
            yield
        finally:
            self.keepalive.remove(socket)
            self._quit(audience, socket)

    def _quit(self, audience: str, socket: Socket) -> None:
        if members := self.audiences.get(audience):
            members.discard(socket)
            if not members:
                del self.audiences[audience]

    @asynccontextmanager
    async def seated(
        self, socket: Socket, user_id: str, resume: Resume | None
    ) -> AsyncIterator[tuple[UserConnection, Seat]]:
        """While inside, the socket is one of the person's: greeted, and sent what comes.

        The registry knows of it before the inbox is read, and deliveries are written to the inbox
        before the registry is asked: so whatever is delivered meanwhile is found by one or the
        other. Raises `Hangup`.
        """
        user = self.users.get(user_id)
        if user is None:
            user = self.users[user_id] = UserConnection(user_id, self._catch_up)
        seat = user.attach(socket, resume)
        socket.on_writable = partial(user.resume, seat)
        self.keepalive.add(socket, socket.loop.time())
        try:
            if not await self.presence.settled(user_id):
                raise Hangup(close_codes.TRY_AGAIN)
            user.caught_up(seat, await self._inbox.resume(user_id, seat.epoch, seat.cursor))
            yield user, seat
        finally:
            self.keepalive.remove(socket)
            socket.on_writable = None
            user.detach(seat)
            self._leave(user)

    def _leave(self, user: UserConnection) -> None:
        if not user.seats and self.users.get(user.user_id) is user:
            del self.users[user.user_id]
            self.presence.note((user.user_id,))

    def _catch_up(self, user: UserConnection, seat: Seat) -> None:
        task = asyncio.create_task(self._fetch(user, seat))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _fetch(self, user: UserConnection, seat: Seat) -> None:
        try:
            found = await self._inbox.resume(user.user_id, seat.epoch, seat.cursor)
        except RedisError:
            seat.line.end(close_codes.TRY_AGAIN)
        else:
            user.caught_up(seat, found)

    async def settle(self) -> None:
        """Wait for the fetches under way."""
        if self._fetching:
            await asyncio.wait(self._fetching)
