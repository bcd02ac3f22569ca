"""Results become outcomes or retries; what is held goes round without using up an attempt."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from streams.consume import Record
from streams.dispatch import Dispatch
from streams.rules import load_rules
from tests.unit.actors.makers import NOW, delivery
from tocsin.clock import ManualClock
from tocsin.records import (
    Channel,
    Delivery,
    DeliveryBatch,
    Outcome,
    OutcomeBatch,
    Priority,
    State,
    decode_internal,
    encode,
)
from tocsin.store import SendResult
from tocsin.topics import OUTCOMES


class FakeProducer:
    """Keeps what is sent by topic."""

    def __init__(self) -> None:
        self.sent: dict[str, list[bytes]] = {}
        self.placed: dict[str, list[tuple[int, bytes]]] = {}

    async def send(
        self, topic: str, value: bytes, partition: int = 0, **_: object
    ) -> "asyncio.Future[None]":
        self.sent.setdefault(topic, []).append(value)
        self.placed.setdefault(topic, []).append((partition, value))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


class FakePools:
    """Answers every delivery with the same result."""

    def __init__(self, result: SendResult) -> None:
        self.result = result
        self.calls: list[list[str]] = []

    def actor(self, _: Channel, partition: int) -> int:
        return partition % 2

    async def send(self, _: Channel, __: int, deliveries: Sequence[Delivery]) -> list[SendResult]:
        self.calls.append([d.notification_id for d in deliveries])
        return [replace(self.result, delivery_id=d.delivery_id) for d in deliveries]


class FakeSchedule:
    async def put(self, entries: Sequence[Any]) -> None:
        assert not entries


class Round:
    """A delivery handed on again and again by a clock that is turned by hand."""

    def __init__(self, result: SendResult) -> None:
        self.clock, self.pools = ManualClock(NOW), FakePools(result)
        self.outcomes: list[Outcome] = []

    async def turn(self, one: Delivery) -> Delivery | None:
        """The delivery as it comes back from its retry topic when it is due; None: it has ended."""
        producer = FakeProducer()
        work = Dispatch(
            Channel.PUSH, producer, self.pools, FakeSchedule(), self.clock, load_rules(),  # type: ignore[arg-type]
            chance=lambda: 0.5,
        )  # fmt: skip
        await work([Record("channel.push", 0, 1, encode(DeliveryBatch([one])), NOW)])
        for value in producer.sent.pop(OUTCOMES.name, []):
            self.outcomes += decode_internal(OutcomeBatch, value).outcomes
        for values in producer.sent.values():
            (again,) = decode_internal(DeliveryBatch, values[0]).deliveries
            assert again.not_before is not None
            self.clock.advance(again.not_before - self.clock.now())
            return again
        return None


HELD = SendResult("", State.RETRY, "breaker_open", "apns", retry_after=1.0, held=True)
BUSY = SendResult("", State.RETRY, "503", "apns", retry_after=1.0)


async def test_an_outage_longer_than_all_attempts_ends_nothing() -> None:
    life, one = Round(HELD), delivery(priority=Priority.NORMAL, expires_at=None)
    for _ in range(20):
        again = await life.turn(one)
        assert again is not None
        assert again.attempt == one.attempt + 1, "a claim of its own, each time"
        one = again
    assert (one.held, one.tries) == (20, 1)
    assert life.clock.now() - NOW > timedelta(minutes=20)
    assert {o.attempt for o in life.outcomes} == {0}, "no provider was asked"
    life.pools.result = SendResult("", State.DELIVERED, "", "apns", "id")
    assert await life.turn(one) is None
    assert (life.outcomes[-1].state, life.outcomes[-1].attempt) == (State.DELIVERED, 1)


async def test_what_is_held_ends_with_its_deadline_or_its_expiry() -> None:
    for expires, state, reason in (
        (None, State.FAILED, "deadline passed: breaker_open"),
        (
            NOW + timedelta(minutes=3),
            State.EXPIRED,
            "expires before the next attempt: breaker_open",
        ),
    ):
        life = Round(HELD)
        one: Delivery | None = delivery(priority=Priority.CRITICAL, expires_at=expires)
        while one is not None:
            one = await life.turn(one)
        assert (life.outcomes[-1].state, life.outcomes[-1].reason) == (state, reason)
        assert life.clock.now() - NOW <= timedelta(minutes=10)


async def test_attempts_are_counted_as_before() -> None:
    life = Round(BUSY)
    one: Delivery | None = delivery(priority=Priority.NORMAL, expires_at=None)
    turns = 0
    while one is not None:
        one, turns = await life.turn(one), turns + 1
    assert turns == 6
    assert life.outcomes[-1].reason == "attempts exhausted: 503"
    assert [o.attempt for o in life.outcomes] == [1, 2, 3, 4, 5, 6]


async def test_records_of_one_actor_are_one_call_and_outcomes_stay_in_their_partition() -> None:
    life, producer = Round(SendResult("", State.DELIVERED, "", "apns", "id")), FakeProducer()
    work = Dispatch(
        Channel.PUSH, producer, life.pools, FakeSchedule(), life.clock, load_rules(),  # type: ignore[arg-type]
    )  # fmt: skip
    batches = [DeliveryBatch([delivery(2 * i), delivery(2 * i + 1)]) for i in range(4)]
    await work(
        [Record("channel.push", p, p, encode(batch), NOW) for p, batch in enumerate(batches)]
    )
    named = [[d.notification_id for d in batch.deliveries] for batch in batches]
    assert life.pools.calls == [named[0] + named[2], named[1] + named[3]]
    found = {
        partition: [o.notification_id for o in decode_internal(OutcomeBatch, value).outcomes]
        for partition, value in producer.placed[OUTCOMES.name]
    }
    assert found == dict(enumerate(named))
