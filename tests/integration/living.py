"""A whole life of requests: every deciding agent over a real store and broker, record by record.

Only the Ray pools are replaced, by `Phones`, which claims as senders do. Time is a clock turned by
hand: what is due by it is made due in the store, too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace
from redis.asyncio import Redis

from streams.bury import Bury
from streams.carry_out import CarryOut
from streams.consume import Record
from streams.convert import Convert
from streams.digest_lines import DigestLines
from streams.dispatch import Dispatch
from streams.mind import Mind
from streams.retry import Retry
from streams.route import Route
from streams.scheduler import Scheduler
from streams.wake import Wake
from tests.integration.phones import Phones
from tests.integration.tape import Tape
from tests.unit.streams.rulebook import rules_with
from tocsin.clock import ManualClock
from tocsin.ids import new_id
from tocsin.records import (
    LANES,
    TERMINAL,
    Channel,
    DeliveryBatch,
    Device,
    NotificationRequest,
    Preferences,
    Profile,
    QuietHours,
    State,
    Template,
    TemplateVersion,
    Variable,
    Words,
    decode_internal,
    encode,
)
from tocsin.records.template import Note
from tocsin.settings import Settings
from tocsin.store import Cancellations, Notifications, Profiles, Templates, keys
from tocsin.store.caps import Caps
from tocsin.store.claims import Begun
from tocsin.store.clicks import Clicks
from tocsin.store.client import raw
from tocsin.store.inbox import Inbox
from tocsin.store.schedule import Schedule
from tocsin.templates import Catalogue, Choose, Renderer
from tocsin.topics import (
    BY_CHANNEL,
    DUE_BY_LANE,
    REQUESTS_BY_LANE,
    RETRIES,
    RETRIES_HIGH,
    Topic,
)

HELD = (*RETRIES, *RETRIES_HIGH)
DIGESTED = {"channels": ["email"], "window": "PT45M"}
RULES = rules_with(
    types={
        "REVIEW": {"digest": DIGESTED, "lifetime": "P1D"},
        "SALE_OFFER": {"dedupe": "PT10M"},
        "ALARM": {"category": "alarms", "channels": ["inapp", "push", "email"]},
        "NUDGE": {"category": "nudges", "channels": ["push"]},
    },
    categories={"nudges": {"cap": {"most": 2, "per": "PT1H"}}},
)
"""Reviews are collected on e-mail, offers have a collapse window, nudges a cap."""


_offsets = count(1)
"""No place is given twice, as the tests of a module share a broker."""


class Life:
    """Route, Wake, Scheduler, Retry and Dispatch as one worker has them."""

    def __init__(self, settings: Settings, redis: Redis, producer: AIOKafkaProducer) -> None:
        self.settings, self.redis, self.tape = settings, redis, Tape(producer)
        self.clock, self.phones = ManualClock(_now()), Phones(redis)
        self.catalogue = Catalogue()
        self.mind = Mind(
            RULES, self.catalogue, Choose(self.catalogue, Templates(redis)), Profiles(redis),
            Cancellations(redis), self.clock,
        )  # fmt: skip
        self.schedule, self.inbox, self.caps = Schedule(redis), Inbox(redis), Caps(redis)
        self.notifications = Notifications(redis, settings.dedupe_hours)
        tape: Any = self.tape
        begun = Begun(redis)
        self.carry_out = CarryOut(tape, self.schedule, self.caps, begun, RULES)
        convert = Convert(tape, Clicks(redis))
        self.route = Route(self.mind, self.notifications, self.carry_out, Bury(tape), convert)
        self.lines = DigestLines(Renderer(settings), Templates(redis))
        self.wake = Wake(
            self.mind, self.carry_out, self.schedule, self.inbox, self.lines, tape,
            settings.partitions,
        )  # fmt: skip
        self.scheduler = Scheduler(tape, self.schedule, settings.partitions)
        self.retry = Retry(tape, self.inbox, begun, self.clock, 0)
        pools: Any = self.phones
        self.dispatch = {
            topic: Dispatch(
                Channel(channel), tape, pools, self.schedule, self.clock, RULES, lambda: 0.5
            )
            for (channel, _), topic in BY_CHANNEL.items()
        }

    # what the world does

    async def person(self, user: str = "anna", **wants: Any) -> Profile:
        """Registered, on every channel; `wants` are preferences."""
        profile = Profile(
            user_id=user,
            email=f"{user}@example.org",
            phone="+447700900123",
            devices={"d1": Device(platform="ios", token="a" * 64)},
            preferences=Preferences(**wants),
        )
        return await self.mind.profiles.change(user, lambda _: profile)

    def quiet(self, hours: int = 2) -> QuietHours:
        """Quiet (UTC) from an hour ago until `hours` from now."""
        now = self.clock.now()
        start, end = now - timedelta(hours=1), now + timedelta(hours=hours)
        return QuietHours(start.strftime("%H:%M"), end.strftime("%H:%M"))

    def ask(self, kind: str = "ALARM", user: str = "anna", **more: Any) -> NotificationRequest:
        """A request, accepted now."""
        given: dict[str, Any] = {
            "notification_id": new_id(), "user_id": user, "type": kind,
            "accepted_at": self.clock.now(), "data": {"title": "Lamp", "body": "It is lit."},
        }  # fmt: skip
        return NotificationRequest(**given | more)

    async def cancel(self, request: NotificationRequest) -> None:
        """As api/cancel.py does."""
        await self.mind.cancellations.cancel(request.notification_id)
        await self.schedule.hasten(request.user_id, request.notification_id)

    async def erase(self, user: str) -> None:
        """As api/erase.py does."""
        await self.mind.profiles.delete(user)
        await self.schedule.hasten(user)

    # what the streams do

    def record(self, *requests: NotificationRequest | bytes, lane: str = "normal") -> Record:
        """A record of its own place with these requests in it."""
        values = [r if isinstance(r, bytes) else encode(r) for r in requests]
        payload = b'{"requests":[%b]}' % b",".join(values)
        return Record(REQUESTS_BY_LANE[lane].name, 1, next(_offsets), payload, self.clock.now())

    def single(self, request: NotificationRequest) -> Record:
        """A record that is the request itself."""
        return self.record()._replace(value=encode(request))

    async def routed(self, *requests: NotificationRequest | bytes) -> Record:
        """One record of them, routed."""
        record = self.record(*requests)
        await self.route([record])
        return record

    async def tick(self) -> int:
        """What is due by our clock is handed on; how many entries that were."""
        now = int(self.clock.now().timestamp() * 1000)
        for lane in LANES:
            due = raw(await self.redis.zrangebyscore(keys.schedule(lane), "-inf", now))
            await self._reset(keys.schedule(lane), due)
        return await self.scheduler.once()

    async def leases_over(self) -> None:
        """Whoever has taken something has died long ago."""
        for lane in LANES:
            taken = raw(await self.redis.zrange(keys.schedule_leased(lane), 0, -1))
            await self._reset(keys.schedule_leased(lane), taken)

    async def _reset(self, name: str, members: Sequence[bytes | None]) -> None:
        long_ago: Mapping[bytes, float] = {member: 0.0 for member in members if member}
        if long_ago:
            await self.redis.zadd(name, dict(long_ago), xx=True)

    async def work(self) -> None:
        """Read until nothing is left that need not wait."""
        while self._unread([*REQUESTS_BY_LANE.values(), *DUE_BY_LANE.values(), *self.dispatch]):
            for topic in REQUESTS_BY_LANE.values():
                if records := self.tape.take(topic):
                    await self.route(records)
            for topic in DUE_BY_LANE.values():
                if records := self.tape.take(topic):
                    await self.wake(records)
            for topic, dispatch in self.dispatch.items():
                if records := self.tape.take(topic):
                    await dispatch(records)

    async def pass_time(self, **span: float) -> None:
        """Time goes by, and then everything that is due is done."""
        self.clock.advance(timedelta(**span))
        while await self.tick() or self._retries():
            if self._retries():
                await self.retry([r for topic in HELD for r in self.tape.take(topic)])
            await self.work()

    async def live_out(self) -> None:
        """Everything ends: in steps of 10 minutes, for at most four days."""
        await self.work()
        for _ in range(4 * 24 * 6):
            if not await self.schedule.size() and not self._unread(HELD):
                return
            await self.pass_time(minutes=10)
            await self.leases_over()
        raise AssertionError("something waits for ever")

    def _unread(self, topics: Iterable[Topic]) -> bool:
        return any(self.tape.unread[topic.name] for topic in topics)

    def _retries(self) -> bool:
        """Whether a retry waits, and all that do are due (else they would go round and round)."""
        held = [r for topic in HELD for r in self.tape.unread[topic.name]]
        times = [
            delivery.not_before or self.clock.now()
            for record in held
            for delivery in decode_internal(DeliveryBatch, record.value).deliveries
        ]
        return bool(times) and max(times) <= self.clock.now()

    # what must hold

    async def waiting(self) -> set[str]:
        """The schedule ids in the store."""
        names = (keys.SCHEDULE_ITEMS, keys.SCHEDULE_BUCKETS)
        return {i.decode() for name in names for i in raw(await self.redis.hkeys(name)) if i}

    def ends(self) -> dict[str, set[tuple[State, str]]]:
        """How each delivery ended, by its id; empty for one that has not."""
        found: dict[str, set[tuple[State, str]]] = defaultdict(set)
        for outcome in self.tape.outcomes():
            found[outcome.delivery_id] |= (
                {(outcome.state, outcome.reason)} if outcome.state in TERMINAL else set()
            )
        return found

    def end(self, request: NotificationRequest, channel: str) -> tuple[State, str] | None:
        """The one way this one ended, None if it has not."""
        ends = self.ends()[f"{request.notification_id}:{channel}"]
        assert len(ends) <= 1, ends
        return next(iter(ends), None)

    async def balanced(self) -> None:
        """Log and store agree on what waits, nobody was told twice, no delivery has two ends."""
        assert self.tape.waiting() == await self.waiting()
        twice = {i: n for i, n in Counter(self.phones.got()).items() if n > 1}
        assert not twice
        opened = {o.delivery_id for o in self.tape.outcomes() if o.state is State.ACCEPTED}
        opened |= {o.delivery_id for o in self.tape.outcomes() if o.state is State.DEFERRED}
        ends = self.ends()
        assert set(ends) <= opened
        assert all(len(found) <= 1 for found in ends.values()), ends

    async def over(self) -> None:
        """...and everything has come to its end."""
        await self.balanced()
        assert not await self.waiting()
        left = [bytes(key) for key in raw(list(await self.redis.keys("*schedule*"))) if key]
        assert [key for key in left if not key.startswith(b"{schedule}:told:")] == []
        unended = [name for name, found in self.ends().items() if not found]
        assert not unended


def on(request: NotificationRequest, *channels: str) -> set[str]:
    """Its delivery ids on these channels."""
    return {f"{request.notification_id}:{channel}" for channel in channels}


def changed(request: NotificationRequest, **more: Any) -> NotificationRequest:
    """The same request but for these."""
    return replace(request, **more)


def template(name: str, number: int, **variables: Variable) -> Template:
    """A template of push words in one version, which is also its revision."""
    words = Words(push=Note("Lamp", "{{ lamp or 'the lamp' }} is lit"))
    version = TemplateVersion(
        number=number, created_at=_now(), variables=variables, locales={"en": words}
    )
    return Template(name, (version,), published=number, revision=number)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
