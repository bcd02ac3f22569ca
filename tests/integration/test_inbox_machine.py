"""Whatever is done to an inbox, it is what a plain model of it is: on a real store."""

import asyncio
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tocsin.records import Condition, encode
from tocsin.settings import Settings
from tocsin.store import connect, keys
from tocsin.store.engaged import Deed, Engaged
from tocsin.store.inbox import Changed, Inbox, Page, Status

pytestmark = pytest.mark.integration

CAP: Final = 5
TYPES: Final = ("REVIEW", "NEW_COMPLAINT")
NAMES: Final = tuple(f"n{number}" for number in range(9))
A_WHILE: Final = datetime(2100, 1, 1, tzinfo=UTC)

T = TypeVar("T")
Names = st.lists(st.sampled_from((*NAMES, "never")), min_size=1, max_size=4)


@dataclass
class Place:
    """A place in the model: it stays when what stood there is deleted or over."""

    name: str
    offset: int
    type: str
    ends: bool
    unread: bool = True
    there: bool = True
    over: bool = False

    @property
    def counts(self) -> bool:
        return self.there and self.unread

    def item(self) -> bytes:
        ends = {"expires_at": A_WHILE} if self.ends else {}
        # `title` says what an unescaped field would say: it must not be taken for one
        title = '"type":"SALE_OFFER","at":"never"'
        at = "2026-11-24T12:00:00Z"
        return encode(
            {"notification_id": self.name, "type": self.type, "at": at, "title": title} | ends
        )

    def sent(self) -> bytes:
        """As a socket is sent it that comes back."""
        return self.item() if self.unread else b'{"read":true,' + self.item()[1:]


class Inboxes(RuleBasedStateMachine):
    """One inbox of five places, told of in a list, oldest first."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.redis = self.run(connect(Settings(redis_url=self.url)))
        self.run(self.redis.delete(keys.ENGAGED))
        self.run(self.redis.set(keys.STORE_READY, "a test"))
        self.inbox, self.user = Inbox(self.redis, cap=CAP), "u" + uuid.uuid4().hex
        self.engaged = Engaged(self.redis, "a test")
        self.places: list[Place] = []
        self.newest = self.acked = 0
        self.epoch = self.run(self.inbox.resume(self.user)).epoch
        self.done: list[tuple[str, str, str]] = []

    def run(self, work: Awaitable[T]) -> T:
        async def done() -> T:
            return await work

        return self.loop.run(done())

    def at(self, name: str) -> Place | None:
        return next((p for p in self.places if p.name == name and p.there), None)

    def unread(self) -> int:
        return sum(place.counts for place in self.places)

    @rule(names=Names, kind=st.sampled_from(TYPES), ends=st.booleans())
    def append(self, names: list[str], kind: str, ends: bool) -> None:
        before = {place.name: place for place in self.places}
        made = [before.get(name) or Place(name, 0, kind, ends) for name in names]
        items = [(self.user, place.name, place.item()) for place in made]
        found = self.run(self.inbox.append(items, ends={p.name: A_WHILE for p in made if p.ends}))
        for place, answer in zip(made, found, strict=True):
            known = next((p for p in self.places if p.name == place.name), None)
            assert answer.fresh is (known is None)
            if known is None:
                self.newest += 1
                known = Place(place.name, self.newest, place.type, place.ends)
                self.places = [*self.places, known][-CAP:]
            assert (answer.epoch, answer.offset) == (self.epoch, known.offset)
            assert answer.unread == self.unread()

    @rule(names=Names, everything=st.booleans())
    def read(self, names: list[str], everything: bool) -> None:
        asked = [p.name for p in self.places] if everything else names
        changed = []
        for name in asked:
            if (place := self.at(name)) and place.unread:
                place.unread = False
                changed.append(name)
                self.done.append(("read", name, place.type))
        found = self.run(self.inbox.mark_read(self.user, None if everything else names))
        assert found == Changed(self.unread(), changed)

    @rule(names=Names)
    def have_unread_again(self, names: list[str]) -> None:
        changed = []
        for name in names:
            if (place := self.at(name)) and not place.unread:
                place.unread = True
                changed.append(name)
        assert self.run(self.inbox.mark_unread(self.user, names)) == (self.unread(), changed)

    @rule(names=Names)
    def delete(self, names: list[str]) -> None:
        changed = []
        for name in names:
            if place := self.at(name):
                if place.unread:
                    self.done.append(("dismiss", name, place.type))
                place.there = place.unread = False
                changed.append(name)
        assert self.run(self.inbox.delete(self.user, names)) == (self.unread(), changed)

    @precondition(lambda self: any(p.there and p.ends for p in self.places))
    @rule(data=st.data())
    def an_hour_comes(self, data: st.DataObject) -> None:
        """No clock is waited for: the end of some items is put into the past."""
        ending = [p for p in self.places if p.there and p.ends]
        over = data.draw(st.lists(st.sampled_from(ending), min_size=1, unique_by=lambda p: p.name))
        for place in over:
            place.there, place.over = False, place.unread
            self.run(self.redis.zadd(keys.inbox_expiry(self.user), {place.name: 1}))
        self.run(self.redis.hset(keys.inbox_meta(self.user), "expires", "1"))

    @rule(back=st.integers(0, 3))
    def acknowledge(self, back: int) -> None:
        offset = max(self.newest - back, 0)
        for place in self.places:
            if self.acked < place.offset <= offset and place.there:
                self.done.append(("ack", place.name, place.type))
        self.acked = max(self.acked, offset)
        # what is over is not always known by then: whoever looks first finds it out
        self.run(self.inbox.resume(self.user))
        self.run(self.inbox.ack([(self.user, self.epoch, offset)] * 2))
        self.run(self.inbox.ack([(self.user, "another", self.newest)]))

    @rule(asked=st.integers(0, 12))
    def resume(self, asked: int) -> None:
        found = self.run(self.inbox.resume(self.user, self.epoch, asked))
        assert (found.offset, found.unread) == (self.newest, self.unread())
        floor = max(self.newest - CAP, 0)
        if not floor <= asked <= self.newest:
            assert found.items is None
            return
        after = [(p.offset, p.sent()) for p in self.places if p.there and p.offset > asked]
        assert found.items == after

    @rule(
        status=st.sampled_from(("all", "unread", "read")),
        types=st.sets(st.sampled_from(TYPES)),
        limit=st.integers(1, 3),
        meanwhile=st.booleans(),
    )
    def page_by_page(self, status: Status, types: set[str], limit: int, meanwhile: bool) -> None:
        """Joined, the pages are the list as it was; what is appended meanwhile is on none."""
        wanted = [p for p in reversed(self.places) if p.there and (not types or p.type in types)]
        wanted = [p for p in wanted if status == "all" or p.unread is (status == "unread")]
        seen: list[int] = []
        cursor: int | None = None
        while True:
            page = self._page(status, cursor, limit, types)
            assert len(page.entries) <= limit
            seen += [entry.offset for entry in page.entries]
            if (cursor := page.cursor) is None:
                break
            if meanwhile:
                self.append([NAMES[self.newest % len(NAMES)]], TYPES[0], False)
        still = {place.offset for place in self.places}
        assert [n for n in seen if n in still] == [p.offset for p in wanted if p.offset in still]
        assert set(seen) <= {p.offset for p in wanted}
        assert len(set(seen)) == len(seen)

    def _page(self, status: Status, cursor: int | None, limit: int, types: set[str]) -> Page:
        return self.run(self.inbox.page(self.user, status, cursor, limit, types))

    @invariant()
    def unread_is_what_a_full_listing_shows(self) -> None:
        page = self.run(self.inbox.page(self.user, limit=100))
        shown = [(p.offset, p.unread, p.item()) for p in reversed(self.places) if p.there]
        assert [tuple(entry) for entry in page.entries] == shown
        assert page.unread == sum(entry.unread for entry in page.entries) == self.unread()

    @invariant()
    def what_happened_is_known(self) -> None:
        for place in self.places:
            # what was deleted was seen; what was over before anybody read it was not
            read = not place.unread if place.there else not place.over
            acked = read or place.offset <= self.acked
            asked = [(self.user, place.name, c) for c in (Condition.READ, Condition.ACKED)]
            assert self.run(self.inbox.happened(asked)) == [read, acked]

    @invariant()
    def nothing_is_kept_of_what_is_gone(self) -> None:
        # whoever looks finds out what is over
        self.run(self.inbox.get(self.user, "never"))
        ending: Any = self.run(self.redis.zrange(keys.inbox_expiry(self.user), 0, -1))
        assert {n.decode() for n in ending} == {p.name for p in self.places if p.there and p.ends}
        kept: Any = self.run(self.redis.hgetall(keys.inbox_items(self.user)))
        assert {n.decode() for n in kept} == {p.name for p in self.places}
        assert {n.decode() for n, item in kept.items() if item} == {
            p.name for p in self.places if p.there
        }

    @invariant()
    def what_people_did_is_on_record_once(self) -> None:
        entries = self.run(self.engaged.take(100, 1)) if self.run(self.engaged.waiting()) else []
        self.run(self.engaged.finish(entries))
        deeds: list[Deed] = [deed for entry in entries for deed in entry.deeds]
        assert [(d.kind, d.notification_id, d.type) for d in deeds] == self.done
        assert all(d.user_id == self.user and d.accepted_at[:4] == "2026" for d in deeds)
        self.done = []

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.loop.close()


def test_an_inbox_is_what_its_model_is(redis_url: str) -> None:
    machine = type("OverThisStore", (Inboxes,), {"url": redis_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            # the same every time: it was run with thousands of others before
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
