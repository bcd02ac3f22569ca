"""What senders share in the store: claims and token buckets, as real scripts on a real store."""

import asyncio
import time

import pytest
from redis.asyncio import Redis

from tocsin.records import State
from tocsin.store import Claims, SendResult, keys
from tocsin.store.buckets import Buckets
from tocsin.store.claims import LEASE_SECONDS, Standing

pytestmark = pytest.mark.integration
A = [("d1", 1)]


async def standing(claims: Claims, attempt: int = 1) -> Standing:
    (claim,) = await claims.take([("d1", attempt)])
    return claim.standing


async def test_a_claim_knows_its_owner_its_heir_and_its_neighbour(redis: Redis) -> None:
    first = Claims(redis, "sender-push-0:aaa")
    assert await standing(first) is Standing.FRESH
    assert await standing(first) is Standing.OWN
    assert await standing(Claims(redis, "sender-push-1:bbb")) is Standing.BUSY
    heir = Claims(redis, "sender-push-0:ccc")
    assert await standing(heir) is Standing.AMBIGUOUS
    assert await standing(heir) is Standing.OWN


async def test_a_neighbour_that_is_silent_too_long_is_taken_for_dead(redis: Redis) -> None:
    old = int((time.time() - LEASE_SECONDS - 1) * 1000)
    await redis.set(keys.claim("d1"), f"c:1:{old}:sender-push-1:bbb")
    assert await standing(Claims(redis, "sender-push-0:aaa")) is Standing.AMBIGUOUS


async def test_an_attempt_that_ended_opens_the_next_and_no_other(redis: Redis) -> None:
    claims = Claims(redis, "sender-push-0:aaa")
    await claims.take(A)
    again = SendResult("d1", State.RETRY, "busy", retry_after=3.0)
    await claims.settle([(again, 1)])
    (found,) = await claims.take(A)
    assert (found.standing, found.result) == (Standing.ENDED, again)
    assert await standing(claims, attempt=2) is Standing.FRESH
    done = SendResult("d1", State.DELIVERED, "", "apns", "1")
    await claims.settle([(done, 2)])
    for attempt in (1, 2, 3):
        (found,) = await claims.take([("d1", attempt)])
        assert found.result == done


async def test_a_bucket_grants_its_burst_then_its_rate_and_never_more(redis: Redis) -> None:
    buckets = Buckets(redis)
    assert await buckets.take("b", 80, 50, 100) == (80, 0)
    granted, wait = await buckets.take("b", 80, 50, 100)
    assert 20 <= granted <= 30
    assert wait == 0
    granted, wait = await buckets.take("b", 80, 0.001, 100)
    assert granted <= 1
    assert granted or wait > 0


async def test_four_takers_together_stay_under_the_rate(redis: Redis) -> None:
    rate, capacity, taken = 500.0, 50.0, 0
    end = time.monotonic() + 0.6
    begun = time.time()

    async def taker() -> None:
        nonlocal taken
        while time.monotonic() < end:
            granted, wait_ms = await Buckets(redis).take("b", 20, rate, capacity)
            taken += granted
            await asyncio.sleep(wait_ms / 1000)

    await asyncio.gather(*(taker() for _ in range(4)))
    assert capacity <= taken <= capacity + rate * (time.time() - begun) + 1


async def test_a_bucket_nobody_uses_goes_away(redis: Redis) -> None:
    await Buckets(redis).take("b", 1, 10, 20)
    assert 0 < await redis.pttl(keys.bucket("b")) <= 3_000
