"""Handing over: bounded, paced, and an answer whatever happens."""

import asyncio
from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from actors.breaker import BULK
from actors.decide import Address, Held, Overdue
from actors.hand_over import IN_FLIGHT, HandOver
from actors.message import Message, Sent
from actors.pace import Pace
from actors.providers.fake import FakeProvider
from tests.unit.actors.makers import NOW, message
from tocsin.clock import ManualClock
from tocsin.errors import Permanent, ProviderDown, Transient
from tocsin.records import LANES, Priority
from tocsin.store.provider_states import BreakerState

HERE = Address("ios", "ab" * 32, "phone")


class FakeBuckets:
    """Grants `grants` in turn, then everything wanted."""

    def __init__(self, *grants: tuple[int, int]) -> None:
        self.grants = list(grants)
        self.wants: list[int] = []

    async def take(self, name: str, want: int, rate: float, capacity: float) -> tuple[int, int]:
        self.wants.append(want)
        return self.grants.pop(0) if self.grants else (want, 0)


def pace(buckets: FakeBuckets | None = None, rate: float = 1_000) -> Pace:
    return Pace(buckets or FakeBuckets(), "push", rate)  # type: ignore[arg-type]


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider("apns")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def hand_over(provider: FakeProvider, clock: ManualClock) -> HandOver:
    return HandOver({"ios": provider}, pace, clock, LANES)


def make(address: Address) -> Message:
    return message(address=address.value)


async def test_every_address_has_its_answer(hand_over: HandOver) -> None:
    sent, gone, nobody = await hand_over.all(
        make, [HERE, Address("ios", "gone1", "b"), Address("android", "x", "c")]
    )
    assert isinstance(sent, Sent)
    assert getattr(gone, "reason", None) == "gone"
    assert isinstance(nobody, Permanent)
    assert nobody.reason == "no_provider"


async def test_a_bug_fails_one_message_and_tells_nothing_of_it(
    hand_over: HandOver, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.fault = lambda m: ValueError(f"cannot send to {m.address}")
    (answer,) = await hand_over.all(make, [HERE])
    assert isinstance(answer, Permanent)
    assert answer.reason == "error: ValueError"
    assert HERE.value not in caplog.text
    assert "fake.py" in caplog.text


async def test_a_store_that_is_away_is_no_fault_of_the_message(
    hand_over: HandOver, provider: FakeProvider
) -> None:
    provider.fault = lambda _: RedisConnectionError("away")
    (answer,) = await hand_over.all(make, [HERE])
    assert isinstance(answer, Transient)


async def test_calls_at_once_are_bounded(hand_over: HandOver, provider: FakeProvider) -> None:
    provider.latency = 0.001
    await asyncio.gather(*(hand_over.all(make, [HERE]) for _ in range(3 * IN_FLIGHT)))
    assert provider.most_at_once == IN_FLIGHT


async def test_what_is_high_waits_for_no_call_of_what_is_low(
    clock: ManualClock, provider: FakeProvider
) -> None:
    stuck = asyncio.Event()

    class Slow(FakeProvider):
        async def send(self, message: Message) -> Sent:
            if message.priority is Priority.LOW:
                await stuck.wait()
            return await super().send(message)

    hand_over = HandOver({"ios": Slow("apns")}, pace, clock, LANES)

    def low(address: Address) -> Message:
        return message(address=address.value, priority=Priority.LOW)

    def high(address: Address) -> Message:
        return message(address=address.value, priority=Priority.HIGH)

    waiting = [asyncio.create_task(hand_over.all(low, [HERE])) for _ in range(2 * IN_FLIGHT)]
    await asyncio.sleep(0)
    (answer,) = await asyncio.wait_for(hand_over.all(high, [HERE]), 10)
    assert isinstance(answer, Sent)
    assert not any(task.done() for task in waiting)
    stuck.set()
    await asyncio.gather(*waiting)


async def test_what_expires_while_it_waits_is_not_sent(
    provider: FakeProvider, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def passes(_: float) -> None:
        clock.advance(timedelta(days=2))

    monkeypatch.setattr("actors.pace.asyncio.sleep", passes)
    slow = HandOver({"ios": provider}, lambda: pace(FakeBuckets((0, 1_000))), clock, LANES)
    (answer,) = await slow.all(make, [HERE])
    assert isinstance(answer, Overdue)
    assert not provider.accepted


@pytest.mark.parametrize(("rate", "want"), [(1, 1), (100, 10), (1_000, 100), (10_000, 200)])
async def test_tokens_are_taken_in_bulk_but_no_more_than_a_tenth_of_a_second(
    rate: float, want: int
) -> None:
    buckets = FakeBuckets()
    paced = pace(buckets, rate)
    for _ in range(want):
        await paced.one()
    assert buckets.wants == [want]
    await paced.one()
    assert buckets.wants == [want, want]


async def test_old_tokens_are_thrown_away() -> None:
    now = [0.0]
    buckets = FakeBuckets()
    paced = Pace(buckets, "push", 1_000, lambda: now[0])  # type: ignore[arg-type]
    await paced.one()
    now[0] = 1.5
    await paced.one()
    assert len(buckets.wants) == 2


async def test_closing_closes_each_provider_once(provider: FakeProvider) -> None:
    await HandOver({"ios": provider, "web": provider}, pace, ManualClock(NOW), LANES).close()
    assert provider.closed


async def test_a_provider_that_fails_is_not_asked_and_nothing_waits_for_it(
    provider: FakeProvider, clock: ManualClock
) -> None:
    buckets = FakeBuckets()
    hand_over = HandOver({"ios": provider}, lambda: pace(buckets), clock, LANES)
    asked = 0

    def down(_: Message) -> ProviderDown:
        nonlocal asked
        asked += 1
        return ProviderDown("503", "apns")

    provider.fault = down
    answers = [(await hand_over.all(make, [HERE]))[0] for _ in range(50)]
    assert asked == BULK.in_a_row
    for answer in answers[asked:]:
        assert isinstance(answer, Held)
        assert 0 < (answer.retry_after or 0) <= BULK.first
    assert hand_over.vitals["apns"].breaker.state is BreakerState.OPEN
    assert buckets.wants == [100], "no token was taken for what is held"


async def test_refusals_of_addresses_and_of_haste_leave_it_closed(
    hand_over: HandOver, provider: FakeProvider
) -> None:
    faults = [Permanent("BadDeviceToken"), Transient("429"), RedisConnectionError("away")] * 20
    provider.fault = lambda _: faults.pop()
    while faults:
        await hand_over.all(make, [HERE])
    assert hand_over.vitals["apns"].breaker.state is BreakerState.CLOSED


async def test_each_provider_has_its_own(provider: FakeProvider, clock: ManualClock) -> None:
    other = FakeProvider("fcm")
    hand_over = HandOver({"ios": provider, "android": other}, pace, clock, LANES)
    provider.fault = lambda _: ProviderDown("503", "apns")
    for _ in range(20):
        await hand_over.all(make, [HERE])
    (answer,) = await hand_over.all(make, [Address("android", "x", "c")])
    assert isinstance(answer, Sent)


async def test_a_call_that_is_given_up_leaves_the_breaker_room(
    provider: FakeProvider, clock: ManualClock
) -> None:
    provider.latency = 60
    hand_over = HandOver({"ios": provider}, pace, clock, LANES)
    calls = [asyncio.create_task(hand_over.all(make, [HERE])) for _ in range(30)]
    while provider.at_once < 30:
        await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert hand_over.vitals["apns"].breaker.state is BreakerState.CLOSED
