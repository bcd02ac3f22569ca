"""Whatever happens to pushes, a client that follows its frames sees the inbox, each item once."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.sockets.frames import Push, Resume
from actors.sockets.user import Seat, UserConnection
from tests.unit.actors.socket_fakes import FakeLine, item, push
from tocsin.store.inbox import Resumed


class Log:
    """The inbox in the store, as far as it matters here."""

    def __init__(self) -> None:
        self.epoch, self.newest, self.floor = "e0", 0, 0

    def resume(self, epoch: str, offset: int) -> Resumed:
        whole = epoch == self.epoch and self.floor <= offset <= self.newest
        items = [(n, item(n)) for n in range(offset + 1, self.newest + 1)] if whole else None
        return Resumed(self.epoch, self.newest, 0, items)


class Client:
    """Follows the protocol as the README tells it, and notices every hole and repetition."""

    def __init__(self, resume: Resume | None) -> None:
        self.epoch, self.offset = (resume.epoch, resume.offset) if resume else ("", 0)
        self.line = FakeLine()
        self._read = 0

    def read(self) -> None:
        for frame in self.line.sent[self._read :]:
            self._take(frame)
        self._read = len(self.line.sent)

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["op"] == "notification":
            assert frame["offset"] == self.offset + 1
            self.offset += 1
        elif not frame.get("recovered"):
            self.epoch, self.offset = frame["epoch"], frame["offset"]


class Connections(RuleBasedStateMachine):
    """Rules are what can happen; pushes lie in `air` until they arrive, twice, late or never."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.user = UserConnection("u", self._asked, bound=6)
        self.fetching: list[Seat] = []
        self.air: list[Push] = []
        self.clients: list[tuple[Client, Seat]] = []

    def _asked(self, user: UserConnection, seat: Seat) -> None:
        self.fetching.append(seat)

    @rule()
    def deliver(self) -> None:
        self.log.newest += 1
        self.air.append(push(self.log.newest, self.log.epoch))

    @precondition(lambda self: self.air)
    @rule(data=st.data(), keep=st.booleans())
    def arrive(self, data: st.DataObject, keep: bool) -> None:
        at = data.draw(st.integers(0, len(self.air) - 1))
        self.user.push(self.air[at])
        if not keep:
            del self.air[at]

    @precondition(lambda self: self.air)
    @rule()
    def lose_a_push(self) -> None:
        self.air.pop(0)

    @precondition(lambda self: len(self.clients) < 4)
    @rule(resume=st.none() | st.builds(Resume, st.sampled_from(["e0", "e1"]), st.integers(0, 9)))
    def connect(self, resume: Resume | None) -> None:
        client = Client(resume)
        seat = self.user.attach(client.line, resume)
        self.clients.append((client, seat))
        self.fetching.append(seat)

    @precondition(lambda self: self.fetching)
    @rule()
    def fetched(self) -> None:
        seat = self.fetching.pop(0)
        self.user.caught_up(seat, self.log.resume(seat.epoch, seat.cursor))

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def stop_or_start_reading(self, data: st.DataObject) -> None:
        client, seat = data.draw(st.sampled_from(self.clients))
        if client.line.ended is None:
            client.line.writable = not client.line.writable
            if client.line.writable:
                self.user.resume(seat)

    @rule()
    def drop_old_items(self) -> None:
        self.log.floor = max(self.log.floor, self.log.newest - 2)

    @rule()
    def lose_the_inbox(self) -> None:
        epoch = f"e{int(self.log.epoch[1:]) + 1}"
        self.log = Log()
        self.log.epoch = epoch

    @precondition(lambda self: self.clients)
    @rule()
    def leave(self) -> None:
        _, seat = self.clients.pop(0)
        self.user.detach(seat)

    @invariant()
    def nobody_sees_a_hole_or_a_repetition(self) -> None:
        for client, _ in self.clients:
            client.read()

    def teardown(self) -> None:
        """When all is quiet and one more thing is delivered, everyone is up to date."""
        for client, seat in self.clients:
            client.line.writable = client.line.ended is None
            self.user.resume(seat)
        self._quieten()
        self.deliver()
        self.user.push(self.air[-1])
        self._quieten()
        for client, _ in self.clients:
            client.read()
            if client.line.ended is None:
                assert (client.epoch, client.offset) == (self.log.epoch, self.log.newest)

    def _quieten(self) -> None:
        while self.fetching:
            self.fetched()


Connections.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestConnections = Connections.TestCase
