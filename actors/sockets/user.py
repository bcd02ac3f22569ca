"""One person's connection: a mailbox, and all the sockets that read from it.

The inbox in the store is the log; a socket is a cursor over it. What is pushed may come twice,
late, out of order or not at all: a socket is only ever sent the offset that follows its cursor.
Anything later means that something is missing, and is fetched from the log instead.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from actors.sockets import close_codes, frames
from actors.sockets.close_codes import CloseCode, Hangup
from actors.sockets.frames import Push, Ready, Resume
from tocsin.errors import Invalid
from tocsin.store.inbox import Resumed

MAILBOX: Final = 256
"""Frames kept for sockets that lag; who lags further is closed as slow, and resumes."""

MAX_SOCKETS: Final = 20


class Line(Protocol):
    """The writing end of a socket. Nothing here waits."""

    @property
    def writable(self) -> bool:
        """False while too much is unread by the client, or the socket is closing."""

    def write(self, frame: bytes) -> None:
        """Send a text frame; nothing happens on a socket that is closing."""

    def end(self, code: CloseCode) -> None:
        """Begin to close."""


class Step(Enum):
    """What to do with a push for a socket at some cursor."""

    SEND = 1
    SKIP = 2
    FETCH = 3


_SEND, _SKIP, _FETCH = Step
"""An enum's members are slow to look up by name, and this is done for every frame."""


def step(epoch: str, cursor: int, push: Push) -> Step:
    """The whole rule of order."""
    offset = push.offset
    if offset == 0:
        return _SEND
    if push.epoch != epoch or offset > cursor + 1:
        return _FETCH
    return _SEND if offset == cursor + 1 else _SKIP


class Seat:
    """One socket of a person: how far it was sent, and how far it says it has kept."""

    __slots__ = ("acked", "asked", "busy", "cursor", "epoch", "greeted", "line", "position")

    def __init__(self, line: Line, resume: Resume | None, position: int) -> None:
        self.line, self.position = line, position
        self.epoch, self.cursor = (resume.epoch, resume.offset) if resume else ("", 0)
        self.asked, self.greeted = resume is not None, False
        self.acked = 0
        self.busy = True
        """Being caught up from the log; pushes wait in the mailbox meanwhile."""


class UserConnection:
    """A person with sockets on this shard.

    `catch_up(user, seat)` is called when a seat needs what the inbox holds after its cursor; it
    must come back to `caught_up` with that, later, or end the seat's line.
    """

    __slots__ = ("_bound", "_catch_up", "_first", "_mail", "seats", "user_id")

    def __init__(
        self,
        user_id: str,
        catch_up: Callable[["UserConnection", Seat], None],
        bound: int = MAILBOX,
    ) -> None:
        self.user_id, self._catch_up, self._bound = user_id, catch_up, bound
        self.seats: list[Seat] = []
        self._mail: list[Push] = []  # nearly always empty, and an empty deque takes 760 bytes
        self._first = 0

    def attach(self, line: Line, resume: Resume | None = None) -> Seat:
        """A new socket, where its client says it was; it is sent nothing until `caught_up`."""
        if len(self.seats) >= MAX_SOCKETS:
            raise Hangup(close_codes.TOO_MANY)
        seat = Seat(line, resume, self._first + len(self._mail))
        self.seats.append(seat)
        return seat

    def detach(self, seat: Seat) -> None:
        """The socket is gone."""
        if seat in self.seats:
            self.seats.remove(seat)
            self._trim()

    def push(self, push: Push) -> bool:
        """Hand a frame to every socket; True if one of them has been sent it, now or before."""
        if self._mail:
            self._post(push)
        else:
            self._hand(push)
        took = False
        for seat in self.seats:
            took |= seat.cursor >= push.offset and seat.epoch == push.epoch
        return took

    def _hand(self, push: Push) -> None:
        """While nobody lags, and that is nearly always, a frame needs no mailbox."""
        waiting = 0
        for seat in self.seats:
            if seat.busy or not seat.line.writable:
                waiting += 1
            else:
                self._take(seat, push)
                seat.position += 1
        if waiting:
            self._mail.append(push)
        else:
            self._first += 1

    def _post(self, push: Push) -> None:
        self._mail.append(push)
        for seat in self.seats:
            self._advance(seat)
        self._trim()

    def caught_up(self, seat: Seat, found: Resumed) -> None:
        """Send what the log holds after the seat's cursor; `ready` goes first to a new socket, and
        to one whose gap cannot be filled."""
        if seat not in self.seats:
            return
        whole = found.items is not None
        if not (seat.greeted and whole):
            recovered = whole if seat.asked or seat.greeted else None
            ready = Ready(found.epoch, found.offset, found.unread, recovered)
            seat.line.write(frames.frame(ready))
        for offset, item in found.items or ():
            seat.line.write(frames.notification(item, offset))
        if seat.epoch != found.epoch:
            seat.acked = 0  # offsets mean something within their epoch only
        seat.epoch, seat.cursor = found.epoch, found.offset
        seat.greeted, seat.busy = True, False
        self.resume(seat)

    def resume(self, seat: Seat) -> None:
        """The socket can be written to (again)."""
        self._advance(seat)
        self._trim()

    def ack(self, seat: Seat, offset: int) -> None:
        """The client keeps everything up to `offset`. Raises `Invalid` for what it never got."""
        if offset > seat.cursor:
            raise Invalid("offset", f"nothing beyond {seat.cursor} was sent on this socket")
        seat.acked = max(seat.acked, offset)

    def _advance(self, seat: Seat) -> None:
        end = self._first + len(self._mail)
        while seat.position < end and not seat.busy and seat.line.writable:
            push = self._mail[seat.position - self._first]
            # also past what makes us fetch: it was in the log before it was pushed, so the fetch
            # brings it, and a push from a lost epoch cannot make us fetch for ever
            seat.position += 1
            self._take(seat, push)

    def _take(self, seat: Seat, push: Push) -> None:
        what = step(seat.epoch, seat.cursor, push)
        if what is _SEND:
            seat.line.write(push.frame)
            seat.cursor = push.offset or seat.cursor
        elif what is _FETCH:
            seat.busy = True
            self._catch_up(self, seat)

    def _trim(self) -> None:
        """Drop what everyone has passed, and those who lag too far."""
        oldest = self._first + len(self._mail) - self._bound
        for seat in [seat for seat in self.seats if seat.position < oldest]:
            self.seats.remove(seat)
            seat.line.end(close_codes.SLOW)
        needed = min((seat.position for seat in self.seats), default=self._first + len(self._mail))
        del self._mail[: needed - self._first]
        self._first = needed
