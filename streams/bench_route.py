"""`python -m streams.bench_route`: what the router costs per request, in one process, no network.

The real router over stand-ins for store and producer: what is measured is every step from the bytes
of a Kafka record to the bytes of the records it causes. CPU time, so that neighbours count little.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple, cast

import typer
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Column, Table

from streams.bury import Bury
from streams.carry_out import CarryOut
from streams.consume import Record
from streams.mind import Mind
from streams.route import Route
from streams.rules import load_rules
from tocsin.clock import SystemClock
from tocsin.ids import new_id
from tocsin.process import collect_rarely
from tocsin.records import (
    Channel,
    DeliveryBatch,
    Device,
    NotificationRequest,
    OutcomeBatch,
    Profile,
    decode_internal,
    encode,
    split_requests,
)
from tocsin.store import Cancellations, Notifications, Profiles, Templates, keys
from tocsin.store.caps import Caps
from tocsin.store.schedule import Schedule
from tocsin.templates import Catalogue, Choose
from tocsin.topics import OUTCOMES, REQUESTS

_STOCK = ("BACK_IN_STOCK", {"sku": "85123A", "product": "White hanging heart", "available": 9})
_RETURN = (
    "ORDER_UPDATE",
    {"order": "536365", "items": 3, "total": "17.85", "currency": "GBP", "kind": "return"},
)
_ORDER = (
    "ORDER_CONFIRMATION",
    {"order": "536365", "items": 7, "total": "139.12", "currency": "GBP", "name": "A. Webb"},
)
_MIX: Final = (
    *((Channel.PUSH, _STOCK), (Channel.EMAIL, _ORDER)) * 5,
    *((Channel.PUSH, _STOCK),) * 5,
    (Channel.SMS, _RETURN),
)
"""As loadtest/bench/traffic.py: 10 push, 5 e-mail, 1 SMS."""

MIXES: Final = {"one channel": True, "the type's channels": False}
STAGES: Final = ("read", "words", "look up", "decide", "make records", "encode")
_PEOPLE: Final = 1_000
_IN_A_RECORD: Final = 250
_RECORDS: Final = 8
"""Of a batch."""


class _Store:
    """A store that has everybody, and to which nothing is old news."""

    def __init__(self) -> None:
        users = [str(5_000_000 + number) for number in range(_PEOPLE)]
        self._values = {keys.profile(user): encode(_person(user)) for user in users}
        self._values[keys.STORE_READY] = b"1"

    async def mget(self, names: Sequence[str]) -> list[bytes | None]:
        return [self._values.get(name) for name in names]

    def register_script(self, _: str) -> Callable[..., Awaitable[list[int]]]:
        async def fresh(keys: Sequence[str], args: Sequence[Any]) -> list[int]:
            return [0] * len(keys)

        return fresh


class _Producer:
    """Keeps what it is given, durable at once."""

    def __init__(self) -> None:
        self.values: list[tuple[str, bytes]] = []

    async def send(self, topic: str, value: bytes, **_: Any) -> asyncio.Future[None]:
        self.values.append((topic, value))
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


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
        self._watch, self._producer = Stopwatch(), _Producer()
        redis, producer = cast(Redis, _Store()), cast(Any, self._producer)
        catalogue, rules = Catalogue(), load_rules()
        choose = Choose(catalogue, Templates(redis))
        profiles, cancellations = Profiles(redis), Cancellations(redis)
        notifications = Notifications(redis, hours=24)
        mind = Mind(rules, catalogue, choose, profiles, cancellations, SystemClock())
        self._carry_out = CarryOut(producer, Schedule(redis), Caps(redis), rules)
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


def _person(user: str) -> Profile:
    return Profile(
        user_id=user,
        email=f"customer-{user}@customers.example",
        phone="+12005550100",
        name="Ada Archer",
        devices={"ios": Device("ios", "0123456789abcdef" * 4)},
    )


def traffic(requests: int, one_channel: bool) -> list[list[Record]]:
    """The bench's mix in batches of Kafka records."""
    now = datetime.now(UTC)
    asked = list(_requests(requests, one_channel, now))
    records = [
        Record(REQUESTS.name, i % 8, i, encode({"requests": asked[i : i + _IN_A_RECORD]}), now)
        for i in range(0, len(asked), _IN_A_RECORD)
    ]
    return [records[i : i + _RECORDS] for i in range(0, len(records), _RECORDS)]


def _requests(requests: int, one_channel: bool, now: datetime) -> Iterator[NotificationRequest]:
    for number in range(requests):
        channel, (kind, data) = _MIX[number % len(_MIX)]
        yield NotificationRequest(
            notification_id=new_id(),
            user_id=str(5_000_000 + number % _PEOPLE),
            type=kind,
            data=data,
            channels=(channel,) if one_channel else (),
            accepted_at=now,
        )


async def measure(requests: int, runs: int) -> dict[str, Any]:
    """By mix: µs of CPU per request and per delivery, and by stage; each the median of the runs."""
    found = {}
    for name, one_channel in MIXES.items():
        bench, batches = Bench(), traffic(requests, one_channel)
        await bench.run(batches[:1])  # words are compiled, caches are filled
        done = [await bench.run(batches) for _ in range(runs)]
        stages = {
            stage: statistics.median(run.spent[stage] for run in done) / 1000 / requests
            for stage in STAGES
        }
        whole = statistics.median(sum(run.spent.values()) for run in done) / 1000
        deliveries = done[0].deliveries
        found[name] = {
            "requests": requests,
            "deliveries": deliveries,
            "us_per_request": round(whole / requests, 2),
            "us_per_delivery": round(whole / deliveries, 2),
            "stages_us_per_request": {stage: round(us, 2) for stage, us in stages.items()},
        }
    return found


def table(found: Mapping[str, Any]) -> Table:
    """The figures for people."""
    right = [Column(name, justify="right") for name in found]
    shown = Table("µs of CPU", *right, title="The router alone, in process")
    for stage in STAGES:
        costs = (mix["stages_us_per_request"][stage] for mix in found.values())
        shown.add_row(f"  {stage}", *(f"{us:.1f}" for us in costs))
    for name in ("us_per_request", "us_per_delivery"):
        shown.add_row(name[3:].replace("_", " "), *(f"{mix[name]:.1f}" for mix in found.values()))
    return shown


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    requests: Annotated[int, typer.Option(help="in each run", min=2_000)] = 20_000,
    runs: Annotated[int, typer.Option(help="of which the median counts", min=1)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Measure and print."""
    collect_rarely()  # as the worker does
    found = asyncio.run(measure(requests, runs))
    if as_json:
        sys.stdout.buffer.write(encode(found) + b"\n")
    else:
        Console().print(table(found))


if __name__ == "__main__":
    app()
