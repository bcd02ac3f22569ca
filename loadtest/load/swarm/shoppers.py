"""People with the shop open: a ticket, a WebSocket, hello, and an ack for what they are told."""

import random
import socket
import time
from contextlib import suppress
from typing import Any, Final

import gevent
import msgspec
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from loadtest.load.call import Call
from loadtest.load.swarm.carrier import Carrier
from tocsin.errors import Refused
from tocsin.tokens import mint

_SECONDS: Final = 15.0
_PATIENCE: Final = 60.0
_STAY: Final = 0.2
"""Share of the load's time for which somebody stays, where nobody is to be cut off."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Session:
    """One open socket, and how far its client has read."""

    def __init__(self, user: str, opened: ClientConnection, ready: dict[str, Any]) -> None:
        self.user, self._socket = user, opened
        self.epoch, self.offset = str(ready.get("epoch", "")), int(ready.get("offset", 0))

    def listen(self) -> None:
        """Acknowledge what comes until the socket ends, however it ends."""
        with suppress(WebSocketException, OSError):
            while True:
                frame = _decode(self._socket.recv())
                if frame.get("op") == "ready" and not frame.get("recovered"):
                    self.epoch, self.offset = str(frame["epoch"]), int(frame["offset"])
                if frame.get("op") == "notification":
                    self.offset = int(frame["offset"])
                    ack = {"op": "ack", "offset": self.offset}
                    self._socket.send(msgspec.json.encode(ack), text=True)

    def leave(self) -> None:
        """Close as a browser does."""
        with suppress(WebSocketException, OSError):
            self._socket.close()

    def cut(self) -> None:
        """Be gone without a word, as after a tunnel."""
        with suppress(OSError):
            self._socket.socket.shutdown(socket.SHUT_RDWR)


class Shopper(Carrier):
    """Arrives, and stays a while; in a storm to the end."""

    stream = "connect"

    def make(self, call: Call) -> None:
        self.arrive(call, self.mine.crowd.user(call.job.number), {})

    def arrive(self, call: Call, user: str, resume: dict[str, Any]) -> None:
        """One call from the ticket to the `ready`."""
        call.means("connect", user=user)
        began = time.time()
        try:
            session = self._patiently(user, resume)
        except Refused as error:
            call.end("refused", code=error.code)
            self.told("connect", "WS", time.time() - began, str(error))
            return
        call.end("accepted", 101)
        self.told("connect", "WS", time.time() - began)
        gevent.spawn(session.listen)
        if self.mine.carriers("reconnect"):
            self.mine.sessions.append(session)
        else:
            gevent.spawn_later(_STAY * self.mine.plan.seconds, session.leave)

    def _patiently(self, user: str, resume: dict[str, Any]) -> Session:
        """Sent away it comes again, when it was told to. Raises `Refused` in the end."""
        end, tries, error = time.time() + _PATIENCE, 0, "no ticket"
        while time.time() < end:
            pause = min(5.0, 0.25 * 2**tries)
            try:
                if session := self._once(user, resume):
                    return session
            except InvalidStatus as failure:
                error = f"http_{failure.response.status_code}"
                pause = float(failure.response.headers.get("Retry-After", pause))
            except (WebSocketException, OSError, TimeoutError) as failure:
                error = type(failure).__name__
            tries += 1
            gevent.sleep(pause * (0.75 + random.random() / 2))
        raise Refused(error, f"no socket for {user} within {_PATIENCE:g} s")

    def _once(self, user: str, resume: dict[str, Any]) -> Session | None:
        token = mint(self.mine.settings, subject=user, kind="user", scopes=frozenset(), seconds=600)
        given = self.ask("GET", "/v1/ws-ticket", "/v1/ws-ticket", token=token)
        if given.outcome != "accepted":
            return None
        opened = connect(
            given.body["url"], compression=None, proxy=None, open_timeout=_SECONDS,
            ping_interval=None, close_timeout=2,
        )  # fmt: skip
        hello = {"op": "hello", "ticket": given.body["ticket"]} | resume
        opened.send(msgspec.json.encode(hello), text=True)
        return Session(user, opened, _decode(opened.recv(_SECONDS)))


class Returner(Shopper):
    """Is cut off, and comes back at once with all the others."""

    stream = "reconnect"

    def make(self, call: Call) -> None:
        if not self.mine.sessions:
            return self.arrive(call, self.mine.crowd.user(call.job.number), {})
        session = self.mine.sessions.popleft()
        session.cut()
        place = {"epoch": session.epoch, "offset": session.offset}
        return self.arrive(call, session.user, {"resume": place})
