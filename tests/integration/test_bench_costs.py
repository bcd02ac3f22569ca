"""What the costs bench weighs: records on the topics, keys in the store, on the real engines."""

import pytest
from redis.asyncio import Redis

from loadtest.bench.api_calls import ApiCalls
from loadtest.bench.costs.feed import Feed
from loadtest.bench.costs.topics import Topics
from loadtest.bench.costs.weigh import valkey
from loadtest.bench.traffic import users
from tocsin.kafka import send_all, start_producer
from tocsin.records import Channel
from tocsin.settings import Settings
from tocsin.store import keys
from tocsin.topics import OUTCOMES, PUSH, SMS_HIGH

pytestmark = pytest.mark.integration


async def test_records_are_counted_one_by_one_and_only_once(settings: Settings) -> None:
    producer = await start_producer(settings)
    try:
        async with Topics(settings) as topics:
            await topics.passed()
            feed = Feed(settings, users(40), [], producer, ApiCalls(settings))
            await feed.records((Channel.PUSH, Channel.EMAIL), 60, 20, 0)
            await send_all(producer, PUSH, [(0, b"x" * 10), (1, b"y" * 10)])
            await send_all(producer, SMS_HIGH, [(0, b"z")])
            await send_all(producer, OUTCOMES, [(0, b"o" * 100)])
            found = await topics.passed()
            assert dict(found.records) == {"requests": 3, "push": 2, "sms": 1, "outcomes": 1}
            assert (found.bytes["push"], found.bytes["outcomes"]) == (20, 100)
            assert found.bytes["requests"] > 60 * 100
            assert not (await topics.passed()).records
    finally:
        await producer.stop()


async def test_keys_are_weighed_by_what_there_is_one_of_them_for(redis: Redis) -> None:
    for number in range(100):
        await redis.set(keys.profile(f"u{number}"), b"p" * 500)
        await redis.set(keys.claim(f"d{number}"), b"c", ex=3_600)
        await redis.set(keys.claim(f"d{number}x"), b"c", ex=3_600)
    await redis.set(keys.ticket("t"), b"t")
    found = await valkey(redis, {"users": 50, "deliveries": 200})
    assert set(found) == {"user", "sent"}
    assert found["user"].each == 2
    assert found["user"].bytes > 500
    assert found["user"].seconds == 0
    assert found["sent"].each == 1
    assert found["sent"].seconds == 3_600
