"""The router with a stopwatch in its seams."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from redis.asyncio import Redis

from streams.bench_stand_ins import Producer, Store
from streams.bury import Bury
from streams.carry_out import CarryOut
from streams.consume import Record
from streams.mind import Mind
from streams.route import Route
from streams.rules import load_rules
from tocsin.clock import SystemClock
from tocsin.records import DeliveryBatch, OutcomeBatch, decode_internal, encode, split_requests
from tocsin.store import Cancellations, Notifications, Profiles, Templates
from tocsin.store.caps import Caps
from tocsin.store.claims import Begun
from tocsin.store.schedule import Schedule
from tocsin.templates import Catalogue, Choose
from tocsin.topics import OUTCOMES

STAGES: Final = ("read", "words", "look up", "decide", "make records", "encode")


class Stopwatch:
    """CPU nanoseconds by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    def watch(self, thing: object, method: str, stage: str) -> None:
        """Time a method of an object from now on. What it calls must not wait for anything."""
        inner = getattr(thing, method)

        async def timed(*args: Any) -> Any:
            began = time.process_time_ns()
            found = await inner(*args)
            self.add(stage, time.process_time_ns() - began)
            return found

        setattr(thing, method, timed)

    def add(self, stage: str, nanoseconds: int) -> None:
        self.spent[stage] = self.spent.get(stage, 0) + nanoseconds


class Run(NamedTuple):
    """One pass over all requests: how many deliveries they made, nanoseconds by stage."""

    deliveries: int
    spent: Mapping[str, int]


class Bench:
    """The router with a stopwatch in its seams."""

    def __init__(self) -> None:
        self._watch, self._producer = Stopwatch(), Producer()
        redis, producer = cast(Redis, Store()), cast(Any, self._producer)
        catalogue, rules = Catalogue(), load_rules()
        choose = Choose(catalogue, Templates(redis))
        profiles, cancellations = Profiles(redis), Cancellations(redis)
        notifications = Notifications(redis, hours=24)
        mind = Mind(rules, catalogue, choose, profiles, cancellations, SystemClock())
        self._carry_out = CarryOut(producer, Schedule(redis), Caps(redis), Begun(redis), rules)
        self._watch.watch(choose, "many", "words")
        for thing, method in (
            (profiles, "get_many"), (cancellations, "cancelled"), (notifications, "seen"),
        ):  # fmt: skip
            self._watch.watch(thing, method, "look up")
        self._route = Route(mind, notifications, cast(Any, self._timed), Bury(producer))

    async def _timed(self, cases: Any) -> None:
        began = time.process_time_ns()
        await self._carry_out(cases)
        self._watch.add("carry out", time.process_time_ns() - began)

    @property
    def produced(self) -> Sequence[tuple[str, bytes]]:
        """(topic, value) of what the last run produced."""
        return self._producer.values

    async def run(self, batches: Sequence[Sequence[Record]]) -> Run:
        """All batches once. What no seam shows is timed again alone, or is what is left."""
        self._producer.values.clear()
        self._watch.spent = {}
        began = time.process_time_ns()
        for batch in batches:
            await self._route(batch)
        whole = time.process_time_ns() - began
        spent = self._watch.spent | {"read": _reading(batches)}
        deliveries, spent["encode"] = _encoding(self._producer.values)
        spent["decide"] = whole - sum(
            spent[stage] for stage in ("read", "words", "look up", "carry out")
        )
        spent["make records"] = spent.pop("carry out") - spent["encode"]
        return Run(deliveries, spent)


def _reading(batches: Sequence[Sequence[Record]]) -> int:
    began = time.process_time_ns()
    for batch in batches:
        for record in batch:
            split_requests(record.value)
    return time.process_time_ns() - began


def _encoding(values: Sequence[tuple[str, bytes]]) -> tuple[int, int]:
    """Deliveries in what was produced, and nanoseconds to encode it all."""
    made = [
        decode_internal(OutcomeBatch, value)
        if topic == OUTCOMES.name
        else decode_internal(DeliveryBatch, value)
        for topic, value in values
    ]
    began = time.process_time_ns()
    for each in made:
        encode(each)
    spent = time.process_time_ns() - began
    return sum(len(each.deliveries) for each in made if isinstance(each, DeliveryBatch)), spent
