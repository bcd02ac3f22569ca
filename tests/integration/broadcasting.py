"""A shop that broadcasts: both fan-out agents over a real store and broker, record by record."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from streams.address import notification_id
from streams.bury import Bury
from streams.consume import Record
from streams.fan_out import Begin, FanOut
from streams.mind import Mind
from streams.rules import load_rules
from tocsin.clock import ManualClock
from tocsin.ids import new_id
from tocsin.kafka import PLACE_HEADER
from tocsin.records import (
    Audience,
    Broadcast,
    NotificationRequest,
    Profile,
    encode,
    split_requests,
)
from tocsin.records.profile import Attribute
from tocsin.settings import Settings
from tocsin.store import Broadcasts, Cancellations, Profiles, Templates
from tocsin.store.broadcasts import Progress
from tocsin.templates import Catalogue, Choose
from tocsin.topics import BROADCASTS, PAGES

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVERYBODY = Audience(segment=())
TIERS = ("gold", "silver", "iron")


class Killed(Exception):
    """The process died here."""


class Steps:
    """Counts what is awaited, and dies right after step number `fatal`."""

    def __init__(self) -> None:
        self.count, self.fatal = 0, 0

    def watch(self, owner: Any, *names: str) -> None:
        """Count the calls of these methods."""
        for name in names:
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*args: Any, **kwargs: Any) -> Any:
            found = await call(*args, **kwargs)
            self.count += 1
            if self.count == self.fatal:
                raise Killed
            return found

        return counted


class Wire:
    """The real producer; what it wrote to the topics of a fan-out is kept to be read."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.pages: deque[Record] = deque()
        self.again: list[Record] = []
        self.requests: list[NotificationRequest] = []
        self.topics: set[str] = set()

    async def send(self, topic: str, value: bytes, **more: Any) -> Any:
        ack = await self._producer.send(topic, value, **more)
        self.topics.add(topic)
        found = split_requests(value)
        self.requests += [r for r in found if isinstance(r, NotificationRequest)]
        assert len(found) <= 250
        return ack

    async def send_and_wait(self, topic: str, value: bytes, **more: Any) -> Any:
        at = await self._producer.send_and_wait(topic, value, **more)
        origin = dict(more.get("headers") or ()).get(PLACE_HEADER, b"").decode()
        record = Record(topic, at.partition, at.offset, value, NOW, origin)
        if topic == PAGES.name:
            self.pages.append(record)
        elif topic == BROADCASTS.name:
            self.again.append(record)
        return at


class Shop:
    """Both agents over one store and broker, driven record by record."""

    def __init__(self, settings: Settings, redis: Redis, wire: Wire, most: int = 4) -> None:
        self.settings, self.redis, self.wire, self.most = settings, redis, wire, most
        self.clock = ManualClock(NOW)
        catalogue = Catalogue()
        self.mind = Mind(
            load_rules(), catalogue, Choose(catalogue, Templates(redis)), Profiles(redis),
            Cancellations(redis), self.clock,
        )  # fmt: skip
        self.broadcasts = Broadcasts(redis)
        self._offset = 0

    def begin(self, hold: float = 300) -> Begin:
        bury = Bury(self.wire)
        partitions = self.settings.partitions
        return Begin(self.wire, self.broadcasts, bury, self.mind, partitions, hold)

    def fan_out(self) -> FanOut:
        return FanOut(self.wire, self.redis, self.mind, self.settings, self.most)

    def record(self, value: Broadcast | bytes) -> Record:
        self._offset += 1
        payload = value if isinstance(value, bytes) else encode(value)
        return Record(BROADCASTS.name, 0, self._offset, payload, NOW)

    async def people(self, count: int, first: int = 0) -> list[str]:
        users = [f"user-{n:04}" for n in range(first, first + count)]
        for n, user in enumerate(users):
            topics = ("news",) if n % 2 else ("admins",) if n % 5 == 0 else ()
            attributes: dict[str, Attribute] = {"tier": TIERS[n % 3]}
            await Profiles(self.redis).put(
                Profile(user, topics=topics, attributes=attributes, version=1)
            )
        return users

    async def run(self, *records: Record) -> None:
        """Read the broadcasts, then page after page until none is left."""
        if records:
            await self.begin()(records)
        while self.wire.pages:
            await self.fan_out()([self.wire.pages[0]])
            self.wire.pages.popleft()

    async def progress(self, broadcast: Broadcast) -> Progress:
        found = await self.broadcasts.progress(broadcast.broadcast_id)
        assert found is not None
        return found

    def told(self, broadcast: Broadcast) -> list[str]:
        """Whom the requests name, duplicates (by notification id, as the router's) dropped."""
        mine = [r for r in self.wire.requests if r.broadcast_id == broadcast.broadcast_id]
        once = {r.notification_id: r for r in mine}
        assert all(i == notification_id(r.broadcast_id or "", r.user_id) for i, r in once.items())
        return sorted(r.user_id for r in once.values())


def broadcast(audience: Audience = EVERYBODY, **more: Any) -> Broadcast:
    made: dict[str, Any] = {
        "broadcast_id": new_id(), "audience": audience, "type": "SALE_OFFER", "accepted_at": NOW,
        "data": {"body": "All hearts half price."},
    }  # fmt: skip
    return Broadcast(**made | more)
