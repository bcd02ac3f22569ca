"""Broadcasts on a real store and broker: everybody once, whatever dies, comes twice or is wrong."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from streams import fan_out
from streams.bury import Bury
from streams.consume import Record
from streams.fan_out import FanOut
from tests.integration.broadcasting import NOW, Killed, Shop, Steps, Wire, broadcast
from tocsin.dead import letters
from tocsin.errors import EngineUnavailable, Invalid
from tocsin.kafka import start_producer
from tocsin.records import (
    Audience,
    Match,
    Page,
    Priority,
    Profile,
    decode_internal,
    encode,
    lane_of,
)
from tocsin.settings import Settings
from tocsin.store import Profiles, keys
from tocsin.topics import BROADCASTS, PAGES, REQUESTS_BY_LANE

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(settings: Settings, redis: Redis) -> AsyncIterator[Shop]:
    await redis.set(keys.STORE_READY, 1)
    producer = await start_producer(settings)
    yield Shop(settings, redis, Wire(producer))
    await producer.stop()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 21])
async def test_everybody_is_told_once(shop: Shop, count: int) -> None:
    users, sale = await shop.people(count), broadcast()
    await shop.run(shop.record(sale))
    assert sorted(r.user_id for r in shop.wire.requests) == users
    found = await shop.progress(sale)
    assert (found.state, found.looked_at, found.told) == ("done", count, count)
    assert (found.people, found.percent) == (count, 100.0)
    assert found.started_at == found.ended_at == NOW


async def test_a_segment_is_those_who_pass(shop: Shop) -> None:
    users = await shop.people(20)
    sale = broadcast(Audience(segment=(Match("tier", "in", ("gold", "iron")),)))
    await shop.run(shop.record(sale))
    assert shop.told(sale) == [user for n, user in enumerate(users) if n % 3 != 1]
    found = await shop.progress(sale)
    assert (found.looked_at, found.told) == (20, 13)


async def test_a_topic_and_the_admins_are_those_who_follow(shop: Shop) -> None:
    users = await shop.people(20)
    news, alarm = broadcast(Audience(topic="news")), broadcast(Audience(admins=True))
    await shop.run(shop.record(news), shop.record(alarm))
    assert shop.told(news) == users[1::2]
    assert shop.told(alarm) == [users[0], users[10]]
    assert (await shop.progress(news)).looked_at == 10


@pytest.mark.parametrize("priority", list(Priority))
async def test_requests_stand_in_the_lane_of_their_priority(shop: Shop, priority: Priority) -> None:
    await shop.people(3)
    await shop.run(shop.record(broadcast(priority=priority)))
    assert shop.wire.topics == {REQUESTS_BY_LANE[lane_of(priority)].name}
    assert {r.priority for r in shop.wire.requests} == {priority}


def _watched(work: FanOut, steps: Steps) -> FanOut:
    steps.watch(work._audiences, "page")
    steps.watch(work._profiles, "get_many")
    steps.watch(work._broadcasts, "end")
    return work


async def _with_a_death(shop: Shop, steps: Steps, first: Record) -> None:
    """As the harness does: what died is read again, before or after what it had written."""
    producer = shop.wire
    steps.watch(producer, "send", "send_and_wait")
    steps.watch(shop.broadcasts, "claim")
    queue = deque([first])
    dead = False
    while queue:
        work = shop.begin() if queue[0].topic == BROADCASTS.name else shop.fan_out()
        try:
            await (_watched(work, steps) if isinstance(work, FanOut) else work)([queue[0]])
            queue.popleft()
        except Killed:
            dead = True
        queue.extend(producer.pages)
        producer.pages.clear()
        if dead and steps.fatal % 2:  # a rebalance may hand the newer page to somebody first
            queue.rotate(-1)
        dead = False


SEGMENT = Audience(segment=(Match("tier", "ne", "silver"),))


async def _steps_of(shop: Shop) -> int:
    """How many steps a whole fan-out to 10 people has."""
    steps = Steps()
    await _with_a_death(shop, steps, shop.record(broadcast(SEGMENT)))
    return steps.count


async def test_a_death_after_any_step_leaves_nobody_out_and_tells_nobody_twice(
    settings: Settings, shop: Shop
) -> None:
    users = await shop.people(10)
    want = [user for n, user in enumerate(users) if n % 3 != 1]
    producer = shop.wire._producer
    total = await _steps_of(Shop(settings, shop.redis, Wire(producer)))
    assert total > 12
    for fatal in range(1, total + 1):
        again = Shop(settings, shop.redis, Wire(producer))
        sale, steps = broadcast(SEGMENT), Steps()
        steps.fatal = fatal
        await _with_a_death(again, steps, again.record(sale))
        assert again.told(sale) == want, fatal
        found = await again.progress(sale)
        assert (found.state, found.looked_at, found.told) == ("done", 10, len(want)), fatal
        # one page at most was repeated
        assert len(again.wire.requests) - len(want) <= 4, fatal


async def test_a_page_read_again_goes_on_along_one_way_only(shop: Shop) -> None:
    await shop.people(20)
    sale = broadcast()
    await shop.begin()([shop.record(sale)])
    page = shop.wire.pages[0]
    for _ in range(3):  # its next page is written, and each time the worker dies before the ack
        await shop.fan_out()([page])
    shop.wire.pages.popleft()
    assert [decode_internal(Page, r.value).number for r in shop.wire.pages] == [1, 1, 1]
    await shop.run()
    assert shop.told(sale) == [f"user-{n:04}" for n in range(20)]
    assert len(shop.wire.requests) == 20 + 2 * 4
    assert (await shop.progress(sale)).told == 20
    await shop.fan_out()([page])
    assert not shop.wire.pages


async def test_the_last_page_read_again_changes_nothing(shop: Shop) -> None:
    await shop.people(3)
    sale = broadcast()
    await shop.begin()([shop.record(sale)])
    page = shop.wire.pages[0]
    await shop.run()
    before = await shop.progress(sale)
    shop.clock.advance(timedelta(minutes=1))
    await shop.fan_out()([page])
    assert (await shop.progress(sale), len(shop.wire.requests)) == (before, 3)


async def test_who_registers_meanwhile_takes_nobodys_place(shop: Shop) -> None:
    users = await shop.people(12, first=10)
    sale = broadcast()
    await shop.begin()([shop.record(sale)])
    late = 0
    while shop.wire.pages:
        # before the cursor and behind it, and somebody who is there leaves
        await Profiles(shop.redis).put(Profile(f"a-{late}", version=1))
        await Profiles(shop.redis).put(Profile(f"user-0011-{late}", version=1))
        await Profiles(shop.redis).put(Profile(f"z-{late}", version=1))
        late += 1
        await shop.fan_out()([shop.wire.pages.popleft()])
        if late == 1:
            await Profiles(shop.redis).delete(users[-1])
    told = shop.told(sale)
    assert len(shop.wire.requests) == len(told)
    assert set(users[:-1]) <= set(told)
    assert users[-1] not in told
    assert "z-0" in told


async def test_a_person_erased_while_a_page_is_at_work_is_left_out(shop: Shop) -> None:
    users = await shop.people(4)
    sale = broadcast(Audience(segment=(Match("tier", "present"),)))
    await shop.begin()([shop.record(sale)])
    work = shop.fan_out()
    read = work._profiles.get_many

    async def erased(user_ids: Any) -> Any:
        await Profiles(shop.redis).delete(users[1])
        return await read(user_ids)

    work._profiles.get_many = erased  # type: ignore[method-assign]
    await work([shop.wire.pages.popleft()])
    assert shop.told(sale) == [users[0], *users[2:]]


async def test_a_cancelled_broadcast_stops_at_the_next_page(shop: Shop) -> None:
    await shop.people(20)
    sale = broadcast()
    await shop.begin()([shop.record(sale)])
    for _ in range(2):
        await shop.fan_out()([shop.wire.pages.popleft()])
    await shop.broadcasts.cancel(sale.broadcast_id, NOW)
    await shop.run()
    assert len(shop.told(sale)) == 8
    found = await shop.progress(sale)
    assert (found.state, found.told, found.percent) == ("cancelled", 8, 40.0)
    assert found.ended_at == NOW


async def test_a_broadcast_cancelled_by_its_key_alone_stops_too(shop: Shop) -> None:
    """As after a rebuild: the key is back, the progress is not."""
    await shop.people(20)
    sale = broadcast()
    await shop.redis.set(keys.cancelled(sale.broadcast_id), 1)
    await shop.run(shop.record(sale))
    assert shop.told(sale) == []
    assert (await shop.progress(sale)).state == "cancelled"
    await shop.fan_out()([Record(PAGES.name, 0, 99_999, encode(Page(sale)), NOW)])
    assert shop.told(sale) == []


async def test_an_id_that_comes_again_is_fanned_out_once(shop: Shop) -> None:
    await shop.people(5)
    sale = broadcast()
    await shop.run(shop.record(sale))
    await shop.run(shop.record(sale))
    await shop.run(shop.record(broadcast(Audience(topic="news"), broadcast_id=sale.broadcast_id)))
    assert len(shop.wire.requests) == 5


async def test_a_broadcast_is_held_until_its_time_and_survives_going_round(shop: Shop) -> None:
    await shop.people(2)
    later = broadcast(send_at=NOW + timedelta(minutes=12))
    record = shop.record(later)
    begin, rounds = shop.begin(hold=0), 0
    while not shop.wire.pages:
        await begin([record])
        rounds += 1
        assert (await shop.progress(later)).state == "waiting"
        if not shop.wire.pages:
            record = shop.wire.again.pop()
            assert record.origin == f"{BROADCASTS.name}:0:1"
        shop.clock.advance(timedelta(minutes=5))
    assert rounds == 4
    await shop.run()
    assert shop.told(later) == ["user-0000", "user-0001"]
    assert all(r.send_at is None and r.accepted_at == NOW for r in shop.wire.requests)


async def test_what_is_due_does_not_wait_for_what_is_not(shop: Shop) -> None:
    await shop.people(2)
    later, now = broadcast(send_at=NOW + timedelta(hours=1)), broadcast()
    holding = asyncio.create_task(shop.begin()([shop.record(later), shop.record(now)]))
    async with asyncio.timeout(60):
        while not shop.wire.pages:
            await asyncio.sleep(0.01)
    assert not holding.done()
    holding.cancel()
    page = decode_internal(Page, shop.wire.pages[0].value)
    assert page.broadcast.broadcast_id == now.broadcast_id
    assert (page.broadcast.template_id, page.broadcast.template_version) == ("SALE_OFFER", 0)


async def test_a_cancelled_broadcast_goes_round_no_more(shop: Shop) -> None:
    later = broadcast(send_at=NOW + timedelta(hours=1))
    await shop.begin(hold=0)([shop.record(later)])
    await shop.broadcasts.cancel(later.broadcast_id, NOW)
    (record,) = shop.wire.again
    await shop.begin(hold=0)([record])
    assert len(shop.wire.again) == 1
    assert (await shop.progress(later)).state == "cancelled"


async def test_bad_records_are_buried_with_their_reason_and_harm_no_other(shop: Shop) -> None:
    await shop.people(3)
    good = broadcast()
    cloud = b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":%b}' % encode(
        in_cloud := broadcast()
    )
    otp = encode(broadcast()).replace(b"SALE_OFFER", b"OTP")
    large = encode(broadcast(data={"body": "x" * 999_000}))
    nobody = encode(broadcast()).replace(b'"segment":[]', b'"segment":[],"admins":true')
    odd = encode(broadcast(Audience(segment=(Match("a", "eq", 1.0),)))).replace(b"1.0", b"[1]")
    bad = [b"{", b"[]", otp, large, nobody, odd]
    await shop.run(*(shop.record(v) for v in (*bad, cloud)), shop.record(good))
    assert shop.told(good) == shop.told(in_cloud) == [f"user-{n:04}" for n in range(3)]
    found = [x for x in await letters(shop.settings) if x.topic == BROADCASTS.name]
    reasons = {x.offset: (x.field, x.reason) for x in found}
    assert set(reasons) == set(range(1, 7))
    assert reasons[3][0] == "type"
    assert reasons[4][0] == "data"
    assert reasons[5][0] == "audience"
    assert reasons[6] == (
        "audience.segment[0]", "`eq` takes one `value`: true, false, a number or a string",
    )  # fmt: skip


async def test_what_is_not_a_page_is_invalid(shop: Shop) -> None:
    with pytest.raises(Invalid, match="broadcast"):
        await shop.fan_out()([Record(PAGES.name, 0, 1, b'{"after":""}', NOW)])


async def test_an_emptied_store_is_waited_for(shop: Shop) -> None:
    users = await shop.people(10)
    sale = broadcast()
    await shop.begin()([shop.record(sale)])
    await shop.fan_out()([shop.wire.pages.popleft()])
    await shop.redis.flushall()
    with pytest.raises(EngineUnavailable, match="rebuild"):
        await shop.fan_out()([shop.wire.pages[0]])
    await shop.people(10)
    with pytest.raises(EngineUnavailable, match="rebuild"):  # half of it may be there
        await shop.fan_out()([shop.wire.pages[0]])
    await shop.redis.set(keys.STORE_READY, 1)
    await shop.run()
    assert shop.told(sale) == users
    assert len(shop.wire.requests) == 10
    assert (await shop.progress(sale)).told == 10


async def test_pages_of_several_broadcasts_take_turns(shop: Shop) -> None:
    await shop.people(12)
    one, two = broadcast(), broadcast()
    await shop.run(shop.record(one), shop.record(two))
    ids = [r.broadcast_id for r in shop.wire.requests]
    first = {i: ids.index(i) for i in (one.broadcast_id, two.broadcast_id)}
    last = {i: len(ids) - ids[::-1].index(i) for i in first}
    assert max(first.values()) < min(last.values())
    assert shop.told(one) == shop.told(two)


async def test_a_worker_reads_both_topics(shop: Shop) -> None:
    bury = Bury(shop.wire)
    made = fan_out.consumers(shop.settings, shop.wire, shop.redis, bury, shop.mind)
    assert [c.topic for c in made] == [BROADCASTS, PAGES]
