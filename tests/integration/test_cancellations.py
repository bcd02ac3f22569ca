"""Taking back, on a real store: what is called cancelled is never written nor claimed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from tocsin.records import CHANNELS, Cancellation, Channel, State
from tocsin.records.notification import MOST_AHEAD
from tocsin.store import Broadcasts, Cancellations, Claims, SendResult, keys
from tocsin.store.cancellations import KEPT
from tocsin.store.inbox import Inbox

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)


@pytest.fixture
def cancellations(redis: Redis) -> Cancellations:
    return Cancellations(redis)


async def test_too_late_is_what_is_claimed_or_has_ended(
    redis: Redis, cancellations: Cancellations
) -> None:
    claims = Claims(redis, "sender:1")
    await claims.take([("n1:push", 1), ("n1:sms", 1), ("n1:email", 1)])
    await claims.settle(
        [(SendResult("n1:push", State.DELIVERED), 1), (SendResult("n1:sms", State.RETRY), 1)]
    )
    late = {Channel.PUSH: True, Channel.SMS: False, Channel.EMAIL: True, Channel.INAPP: False}
    for _ in range(2):
        assert await cancellations.cancel("n1") == late


async def test_it_is_asked_for_many_at_once(cancellations: Cancellations) -> None:
    await cancellations.cancel("b")
    assert await cancellations.cancelled(["a", "b", "c"]) == [False, True, False]
    assert await cancellations.cancelled([]) == []


async def test_an_inbox_item_is_written_or_cancelled_never_both(
    redis: Redis, cancellations: Cancellations
) -> None:
    inbox, ids = Inbox(redis), [f"n{n}" for n in range(60)]

    async def cancel(name: str) -> bool:
        return (await cancellations.cancel(name))[Channel.INAPP]

    writing = asyncio.create_task(inbox.append([("ada", name, b"{}") for name in ids[:30]]))
    late = await asyncio.gather(*(cancel(name) for name in ids))
    written = await writing + await inbox.append([("ada", name, b"{}") for name in ids[30:]])
    assert [not place.cancelled for place in written] == late
    assert (await inbox.page("ada", limit=100)).unread == sum(late)
    assert not any(place.fresh for place in written[30:])


async def test_an_item_that_is_there_stays_and_a_batch_again_says_so(
    redis: Redis, cancellations: Cancellations
) -> None:
    inbox = Inbox(redis)
    (first,) = await inbox.append([("ada", "n1", b"{}")])
    assert (await cancellations.cancel("n1"))[Channel.INAPP]
    (again,) = await inbox.append([("ada", "n1", b"{}")])
    assert (again.cancelled, again.offset) == (False, first.offset)


async def test_a_rebuild_gives_each_what_is_left_of_its_time(
    redis: Redis, cancellations: Cancellations
) -> None:
    day = timedelta(days=1)
    await cancellations.restore(
        Cancellation("new", NOW), Cancellation("old", NOW - KEPT + day),
        Cancellation("over", NOW - KEPT - day),
    )  # fmt: skip
    assert await cancellations.cancelled(["new", "old", "over"]) == [True, True, False]
    assert 0 < await redis.ttl(keys.cancelled("old")) <= day.total_seconds()
    await cancellations.restore()


async def test_what_was_heard_of_is_known(redis: Redis, cancellations: Cancellations) -> None:
    assert not await cancellations.heard_of("n1")
    await cancellations.note(["n1", "n2"])
    await redis.set(keys.seen("n3"), "t:0:1:0")
    await Claims(redis, "sender:1").take([(f"n4:{CHANNELS[1]}", 1)])
    await cancellations.cancel("n5")
    for number in range(1, 6):
        assert await cancellations.heard_of(f"n{number}"), number


async def test_it_outlives_whatever_it_may_have_cancelled(
    redis: Redis, cancellations: Cancellations
) -> None:
    await cancellations.cancel("n")
    await Broadcasts(redis).cancel("b", NOW)
    for name in ("n", "b"):
        assert await redis.ttl(keys.cancelled(name)) > MOST_AHEAD.total_seconds()
