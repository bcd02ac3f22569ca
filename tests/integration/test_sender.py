"""The sender on a real store with a provider without a vendor: each message once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from actors.message import Message
from actors.providers.fake import FakeProvider
from actors.sender import Sender
from tests.unit.actors.makers import delivery, profile
from tocsin.errors import Ambiguous, ProviderDown, Transient
from tocsin.records import (
    Channel,
    Delivery,
    DeliveryBatch,
    Device,
    Preferences,
    Priority,
    State,
    encode,
)
from tocsin.settings import Rates, Settings
from tocsin.store import Broadcasts, Cancellations, Claims, Profiles, SendResult, keys
from tocsin.store.provider_states import BreakerState, ProviderStates

pytestmark = pytest.mark.integration
_results = msgspec.json.Decoder(list[SendResult]).decode


class Bench:
    """Senders that share a store and a provider; each is another incarnation."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self.settings, self.redis = settings, redis
        self.provider = FakeProvider("apns")
        self.profiles = Profiles(redis)
        self.open: list[Sender] = []

    def sender(self, name: str = "sender-push-0", channel: Channel = Channel.PUSH) -> Sender:
        kinds = dict.fromkeys(("ios", "android", "web", "sms", "email"), self.provider)
        sender = Sender(self.settings, channel, name, make=lambda *_: kinds)
        self.open.append(sender)
        return sender

    async def send(self, *deliveries: Delivery, by: Sender | None = None) -> list[SendResult]:
        by = by or self.sender()
        return _results(await by.send(encode(DeliveryBatch(list(deliveries)))))

    async def close(self) -> None:
        for sender in self.open:
            await sender.close()


@pytest.fixture
async def bench(store_settings: Settings, redis: Redis) -> AsyncIterator[Bench]:
    made = Bench(store_settings, redis)
    await made.profiles.put(profile())
    yield made
    await made.close()


def push(number: int | str = 1, **changes: Any) -> Delivery:
    return delivery(number, **{"expires_at": None} | changes)


async def test_a_batch_comes_back_in_order_and_again_the_same(bench: Bench) -> None:
    batch = [push(i) for i in range(250)]
    first = await bench.send(*batch)
    assert [r.delivery_id for r in first] == [d.delivery_id for d in batch]
    assert {r.state for r in first} == {State.DELIVERED}
    assert await bench.send(*batch) == first
    assert len(bench.provider.accepted) == 250


async def test_a_result_tells_where_it_went_and_what_it_said_without_address_or_words(
    bench: Bench,
) -> None:
    await bench.profiles.put(
        profile("u2", email="Anna@Mail.Example.COM", devices={"w": Device("web", "https://p/1")})
    )
    first, same, other = await bench.send(
        push(1), push(2), push(3, data=push().data | {"order": "8"})
    )
    assert first.destination == "ios"
    assert (first.content_hash, first.data_hash) == (same.content_hash, same.data_hash)
    assert len({0, first.content_hash, other.content_hash}) == 3
    assert len({0, first.data_hash, other.data_hash}) == 3
    (web,) = await bench.send(push(4, user_id="u2"))
    mail = push(5, user_id="u2", channel=Channel.EMAIL)
    (posted,) = await bench.send(mail, by=bench.sender("sender-email-0", Channel.EMAIL))
    text = push(6, channel=Channel.SMS)
    (texted,) = await bench.send(text, by=bench.sender("sender-sms-0", Channel.SMS))
    found = (web.destination, posted.destination, texted.destination)
    assert found == ("web", "mail.example.com", "+44770")


async def test_what_was_not_sent_says_nothing_of_it(bench: Bench) -> None:
    await bench.profiles.put(profile("out", preferences=Preferences(opted_out=True)))
    (refused,) = await bench.send(push(1, user_id="out"))
    assert (refused.destination, refused.content_hash, refused.data_hash) == ("", 0, 0)


async def test_the_same_batch_twice_at_once_is_sent_once(bench: Bench) -> None:
    sender, batch = bench.sender(), [push(i) for i in range(50)]
    bench.provider.latency = 0.02
    one, two = await asyncio.gather(bench.send(*batch, by=sender), bench.send(*batch, by=sender))
    assert one == two
    assert len(bench.provider.accepted) == 50


async def test_twice_in_one_batch_is_sent_once(bench: Bench) -> None:
    results = await bench.send(push(), push(), push())
    assert len({r.provider_message_id for r in results}) == 1
    assert len(bench.provider.accepted) == 1


async def test_results_are_in_the_store_before_anyone_is_told(bench: Bench) -> None:
    await bench.send(push())
    stored = await bench.redis.get(keys.claim("n1:push"))
    assert isinstance(stored, bytes)
    assert stored.startswith(b"r:1:")


async def test_what_changed_since_routing_is_seen(bench: Bench) -> None:
    await bench.profiles.put(profile("out", preferences=Preferences(opted_out=True)))
    await bench.profiles.put(profile("bare", devices={}))
    results = await bench.send(
        push(1, user_id="out"),
        push(2, user_id="out", priority=Priority.CRITICAL, category="security"),
        push(3, user_id="bare"),
        push(4, user_id="nobody"),
        push(5, expires_at=datetime.now(UTC) - timedelta(seconds=1)),
        push(6, data={}),
    )
    assert [(r.state, r.reason) for r in results] == [
        (State.SUPPRESSED, "opted_out"),
        (State.DELIVERED, ""),
        (State.SUPPRESSED, "no_address"),
        (State.SUPPRESSED, "unknown_user"),
        (State.EXPIRED, "expired"),
        (State.FAILED, "missing variable: order"),
    ]


async def test_every_device_is_tried_and_dead_ones_leave_the_profile(bench: Bench) -> None:
    devices = {"old": Device("ios", "gone" * 16), "new": Device("android", "live" * 16)}
    await bench.profiles.put(profile(devices=devices, version=3))
    (result,) = await bench.send(push())
    assert result.state is State.DELIVERED
    kept = await bench.profiles.get("u1")
    assert kept is not None
    assert list(kept.devices) == ["new"]
    assert kept.version == 4


async def test_a_transient_refusal_is_retried_and_the_attempt_after_it_is_sent(
    bench: Bench,
) -> None:
    bench.provider.fault = lambda _: Transient("busy", "apns", 17)
    (result,) = await bench.send(push())
    assert (result.state, result.retry_after) == (State.RETRY, 17)
    bench.provider.fault = None
    (same,) = await bench.send(push())
    assert same == result, "this attempt has ended"
    (next_one,) = await bench.send(push(attempt=2))
    assert next_one.state is State.DELIVERED


async def test_a_lost_answer_is_sent_again_with_the_same_id_unless_it_is_promotion(
    bench: Bench,
) -> None:
    bench.provider.fault = lambda _: Ambiguous("cut", "apns")
    bench.provider.accept_first = True
    order, offer = await bench.send(push(1), push(2, category="promotional"))
    assert (order.state, order.ambiguous) == (State.RETRY, True)
    assert (offer.state, offer.reason, offer.ambiguous) == (State.FAILED, "ambiguous", True)
    bench.provider.fault = None
    await bench.send(push(1, attempt=2), push(2, category="promotional", attempt=2))
    assert (bench.provider.times("n1:push"), bench.provider.times("n2:push")) == (2, 1)


async def test_what_a_dead_incarnation_left_is_ambiguous(bench: Bench) -> None:
    await Claims(bench.redis, "sender-push-0:dead").take([("n1:push", 1), ("n2:push", 1)])
    order, offer = await bench.send(push(1), push(2, category="promotional"))
    assert (order.state, order.ambiguous) == (State.DELIVERED, True)
    assert (offer.state, offer.reason) == (State.FAILED, "ambiguous")
    assert bench.provider.times("n2:push") == 0


async def test_a_living_sender_of_another_name_is_left_alone(bench: Bench) -> None:
    await Claims(bench.redis, "sender-push-1:alive").take([("n1:push", 1)])
    (result,) = await bench.send(push())
    assert (result.state, result.reason) == (State.RETRY, "busy")
    assert not bench.provider.accepted
    claim = await bench.redis.get(keys.claim("n1:push"))
    assert isinstance(claim, bytes)
    assert b"sender-push-1" in claim


async def test_one_bad_message_spoils_only_itself(bench: Bench) -> None:
    def fault(message: Message) -> Exception | None:
        return KeyError(message.address) if message.delivery_id == "n2:push" else None

    bench.provider.fault = fault
    await bench.redis.set(keys.profile("broken"), b"{")
    results = await bench.send(push(1), push(2), push(3, user_id="broken"), push(4))
    assert [r.state for r in results] == [
        State.DELIVERED, State.FAILED, State.SUPPRESSED, State.DELIVERED,
    ]  # fmt: skip
    assert results[1].reason == "error: KeyError"


async def test_the_rate_of_the_fleet_is_kept_by_two_senders(
    store_settings: Settings, redis: Redis
) -> None:
    slow = store_settings.model_copy(update={"rate": Rates(push=100)})
    bench = Bench(slow, redis)
    await bench.profiles.put(profile())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(
        bench.send(*(push(f"a{i}") for i in range(60)), by=bench.sender("sender-push-0")),
        bench.send(*(push(f"b{i}") for i in range(60)), by=bench.sender("sender-push-1")),
    )
    # a lower bound, which no slow machine breaks: 120 tokens less the burst of 20
    assert loop.time() - begun >= 0.95
    assert len(bench.provider.accepted) == 120
    await bench.close()


async def test_an_empty_batch_is_no_trouble(bench: Bench) -> None:
    assert await bench.send() == []


async def test_what_was_taken_back_is_not_sent_and_says_so_every_time(bench: Bench) -> None:
    late = await Cancellations(bench.redis).cancel("n1")
    assert not any(late.values())
    for _ in range(2):
        results = await bench.send(push(1), push(2))
        assert [(r.state, r.reason) for r in results] == [
            (State.CANCELLED, "cancelled"), (State.DELIVERED, ""),
        ]  # fmt: skip
    assert bench.provider.times("n1:push") == 0
    assert (await Cancellations(bench.redis).cancel("n2"))[Channel.PUSH]


async def test_what_is_of_a_broadcast_that_was_taken_back_is_not_sent(bench: Bench) -> None:
    await Broadcasts(bench.redis).cancel("b1", datetime.now(UTC))
    (before,) = await bench.send(push(3))
    results = await bench.send(
        push(1, broadcast_id="b1"), push(2, broadcast_id="b2"), push(3, broadcast_id="b1")
    )
    assert [r.state for r in results] == [State.CANCELLED, State.DELIVERED, State.DELIVERED]
    assert results[2] == before, "what has ended is told as it ended"


async def test_a_retry_that_was_taken_back_is_not_made(bench: Bench) -> None:
    bench.provider.fault = lambda _: Transient("busy", "apns", 17)
    await bench.send(push())
    assert not (await Cancellations(bench.redis).cancel("n1"))[Channel.PUSH]
    bench.provider.fault = None
    (result,) = await bench.send(push(attempt=2))
    assert result.state is State.CANCELLED
    assert not bench.provider.accepted


async def test_what_a_dead_sender_may_have_sent_and_is_taken_back_is_not_sent_again(
    bench: Bench,
) -> None:
    await Claims(bench.redis, "sender-push-0:dead").take([("n1:push", 1)])
    assert (await Cancellations(bench.redis).cancel("n1"))[Channel.PUSH], "it may be on its way"
    for _ in range(2):
        (result,) = await bench.send(push())
        assert (result.state, result.reason, result.ambiguous) == (State.FAILED, "ambiguous", True)
    assert not bench.provider.accepted


async def test_of_a_sender_and_a_cancellation_at_once_one_comes_first(bench: Bench) -> None:
    cancellations, sender = Cancellations(bench.redis), bench.sender()
    await sender.start()

    async def both(number: int) -> bool:
        sending = asyncio.create_task(bench.send(push(number), by=sender))
        late = await cancellations.cancel(f"n{number}")
        (result,) = await sending
        assert bench.provider.times(f"n{number}:push") == int(late[Channel.PUSH])
        assert (result.state is State.DELIVERED) == late[Channel.PUSH]
        assert (result.state is State.CANCELLED) != late[Channel.PUSH]
        return late[Channel.PUSH]

    await asyncio.gather(*map(both, range(100)))


async def test_while_a_provider_fails_what_is_held_makes_no_attempt_and_is_sent_after_it(
    bench: Bench,
) -> None:
    sender = bench.sender()
    bench.provider.fault = lambda _: ProviderDown("503", "apns")
    batch = [push(i) for i in range(100)]
    results = await bench.send(*batch, by=sender)
    assert {r.state for r in results} == {State.RETRY}
    held = [r for r in results if r.held]
    tried = [r for r in results if not r.held]
    assert held
    assert {(r.reason, r.provider) for r in held} == {("breaker_open", "apns")}
    assert {r.reason for r in tried} == {"503"}
    assert await bench.send(*batch, by=sender) == results, "an attempt's result is for good"

    async def told() -> list[BreakerState]:
        return [each.state for each in await ProviderStates(bench.redis).all()]

    async with asyncio.timeout(30):
        while BreakerState.CLOSED in await told() or not await told():
            await asyncio.sleep(0.05)
    bench.provider.fault = None
    left, attempt = {r.delivery_id: d for r, d in zip(results, batch, strict=True)}, 2
    async with asyncio.timeout(60):
        while left:
            again = [replace(d, attempt=attempt) for d in left.values()]
            for result in await bench.send(*again, by=sender):
                if result.state is State.DELIVERED:
                    del left[result.delivery_id]
            attempt += 1
            await asyncio.sleep(0.05)
    assert len(bench.provider.accepted) == len(batch), "each once"


async def test_an_emptied_store_is_waited_for_and_nobody_is_unknown(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.redis.flushall()
    sending = asyncio.create_task(bench.send(push()))
    async with asyncio.timeout(60):
        while "tocsin rebuild" not in caplog.text:
            await asyncio.sleep(0.01)
    assert not bench.provider.accepted
    await bench.profiles.put(profile())  # a rebuild, and its end
    await bench.redis.set(keys.STORE_READY, "rebuilt")
    (result,) = await sending
    assert result.state is State.DELIVERED
    assert len(bench.provider.accepted) == 1
