"""The durable inbox on a real store."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from tocsin.records import Condition
from tocsin.store import keys
from tocsin.store.inbox import KEPT_SECONDS, Inbox

pytestmark = pytest.mark.integration


@pytest.fixture
def inbox(redis: Redis) -> Inbox:
    return Inbox(redis, cap=5)


def some(user: str, *numbers: int) -> list[tuple[str, str, bytes]]:
    return [(user, f"n{number}", b'{"n":%d}' % number) for number in numbers]


async def ids(inbox: Inbox, user: str, status: str = "all") -> list[int]:
    page = await inbox.page(user, status)  # type: ignore[arg-type]
    return [json.loads(entry.item)["n"] for entry in page.entries]


async def test_a_batch_gets_offsets_per_person(inbox: Inbox) -> None:
    written = await inbox.append([*some("a", 1), *some("b", 2), *some("a", 3)])
    assert [(w.offset, w.unread, w.fresh) for w in written] == [
        (1, 1, True), (1, 1, True), (2, 2, True),
    ]  # fmt: skip
    assert written[0].epoch == written[2].epoch


async def test_the_same_batch_again_changes_nothing_and_gets_the_same_places(inbox: Inbox) -> None:
    batch = [*some("a", 1, 2), *some("b", 1)]
    first = await inbox.append(batch)
    again = await inbox.append(batch)
    assert [(w.epoch, w.offset) for w in again] == [(w.epoch, w.offset) for w in first]
    assert not any(w.fresh for w in again)
    assert (await inbox.page("a")).unread == 2


async def test_the_same_notification_twice_in_a_batch_is_one(inbox: Inbox) -> None:
    written = await inbox.append(some("a", 1, 1, 2))
    assert [(w.offset, w.fresh) for w in written] == [(1, True), (1, False), (2, True)]


async def test_concurrent_batches_of_the_same_never_double(inbox: Inbox) -> None:
    batch = some("a", *range(1, 6))
    answers = await asyncio.gather(*(inbox.append(batch) for _ in range(20)))
    assert sum(w.fresh for answer in answers for w in answer) == 5
    assert {tuple(w.offset for w in answer) for answer in answers} == {(1, 2, 3, 4, 5)}


async def test_an_inbox_keeps_the_newest(inbox: Inbox) -> None:
    await inbox.append(some("a", *range(1, 9)))
    assert await ids(inbox, "a") == [8, 7, 6, 5, 4]
    assert (await inbox.page("a")).unread == 5


async def test_unread_stays_right_when_read_ones_drop_out(inbox: Inbox) -> None:
    await inbox.append(some("a", *range(1, 6)))
    await inbox.mark_read("a", ["n1", "n3"])
    written = await inbox.append(some("a", 6, 7))
    assert [w.unread for w in written] == [4, 4]
    assert await ids(inbox, "a", "unread") == [7, 6, 5, 4]
    assert await ids(inbox, "a", "read") == [3]


async def test_what_came_after_a_position(inbox: Inbox) -> None:
    epoch = (await inbox.append(some("a", 1, 2, 3)))[0].epoch
    assert await inbox.since("a", epoch, 1) == [(2, b'{"n":2}'), (3, b'{"n":3}')]
    assert await inbox.since("a", epoch, 3) == []
    assert await inbox.since("a", epoch, 0) == [(n, b'{"n":%d}' % n) for n in (1, 2, 3)]


async def test_a_gap_that_cannot_be_filled_is_none(inbox: Inbox) -> None:
    epoch = (await inbox.append(some("a", *range(1, 9))))[0].epoch
    assert await inbox.since("a", epoch, 2) is None
    assert [offset for offset, _ in await inbox.since("a", epoch, 3) or ()] == [4, 5, 6, 7, 8]
    assert await inbox.since("a", epoch, 9) is None
    assert await inbox.since("a", "other", 8) is None
    assert await inbox.since("nobody", epoch, 0) is None


async def test_the_first_item_continues_what_an_early_reader_was_told(inbox: Inbox) -> None:
    before = await inbox.resume("a")
    assert (before.offset, before.unread, before.items) == (0, 0, None)
    written = (await inbox.append(some("a", 1)))[0]
    assert (written.epoch, written.offset) == (before.epoch, 1)
    assert (await inbox.resume("a", before.epoch, 0)).items == [(1, b'{"n":1}')]


async def test_a_lost_inbox_begins_a_new_epoch(inbox: Inbox, redis: Redis) -> None:
    old = (await inbox.append(some("a", 1, 2)))[0]
    await redis.flushall()
    await redis.set(keys.STORE_READY, "rebuilt")
    new = (await inbox.append(some("a", 3)))[0]
    assert new.offset == 1
    assert new.epoch != old.epoch


async def test_pages_go_back_to_the_first(inbox: Inbox) -> None:
    await inbox.append(some("a", *range(1, 6)))
    seen, cursor, pages = [], None, 0
    while True:
        page = await inbox.page("a", cursor=cursor, limit=2)
        seen += [entry.offset for entry in page.entries]
        pages += 1
        if (cursor := page.cursor) is None:
            break
    assert (seen, pages) == ([5, 4, 3, 2, 1], 3)
    assert (await inbox.page("a", limit=5)).cursor is None
    assert await inbox.page("nobody") == ([], None, 0)


async def test_reading_is_counted_once_and_published(inbox: Inbox, redis: Redis) -> None:
    await inbox.append(some("a", 1, 2, 3))
    async with redis.pubsub() as heard:
        await heard.subscribe(keys.INBOX_CHANGED)
        await heard.get_message(timeout=20)
        assert await inbox.mark_read("a", ["n1", "n9"]) == (2, ["n1"])
        assert await inbox.mark_read("a", ["n1"]) == (2, [])
        assert await inbox.mark_read("a", None) == (0, ["n2", "n3"])
        assert await inbox.mark_read("a", None) == (0, [])
        told = [(await heard.get_message(timeout=20))["data"] for _ in range(2)]
    assert [json.loads(data) for data in told] == [
        {"op": "read", "user_id": "a", "ids": ["n1"], "unread": 2},
        {"op": "read", "user_id": "a", "ids": ["n2", "n3"], "unread": 0},
    ]


async def test_a_deleted_item_is_gone_and_does_not_come_back(inbox: Inbox) -> None:
    batch = some("a", 1, 2, 3)
    epoch = (await inbox.append(batch))[0].epoch
    await inbox.mark_read("a", ["n3"])
    assert await inbox.delete("a", ["n2", "n3", "n9"]) == (1, ["n2", "n3"])
    assert await inbox.delete("a", ["n2"]) == (1, [])
    assert [w.fresh for w in await inbox.append(batch)] == [False] * 3
    assert await ids(inbox, "a") == [1]
    assert (await inbox.page("a")).unread == 1
    assert await inbox.since("a", epoch, 0) == [(1, b'{"n":1}')]
    assert await inbox.get("a", "n2") is None
    assert [w.offset for w in await inbox.append(some("a", 4))] == [4]


async def test_one_item_can_be_looked_at(inbox: Inbox) -> None:
    await inbox.append(some("a", 1, 2))
    assert await inbox.get("a", "n2") == (2, True, b'{"n":2}')
    await inbox.mark_read("a", ["n2"])
    assert await inbox.get("a", "n2") == (2, False, b'{"n":2}')
    assert await inbox.get("a", "n9") is None
    assert await inbox.get("b", "n2") is None


async def test_every_key_of_an_inbox_expires(inbox: Inbox, redis: Redis) -> None:
    await inbox.resume("early")
    await inbox.append(some("a", 1, 2))
    names = [name async for name in redis.scan_iter("inbox:*")]
    assert len(names) == 4
    for name in names:
        assert KEPT_SECONDS - 60 < await redis.ttl(name) <= KEPT_SECONDS + 86_400


async def test_an_inbox_in_use_is_kept_longer(inbox: Inbox, redis: Redis) -> None:
    await inbox.append(some("a", 1))
    for name in (keys.inbox("a"), keys.inbox_items("a"), keys.inbox_meta("a")):
        await redis.expire(name, KEPT_SECONDS // 2)
    await inbox.append(some("a", 2))
    for name in (keys.inbox("a"), keys.inbox_items("a"), keys.inbox_meta("a")):
        assert await redis.ttl(name) > KEPT_SECONDS - 60


async def test_erasing_leaves_nothing(inbox: Inbox, redis: Redis) -> None:
    await inbox.append(some("a", 1))
    assert await inbox.erase("a")
    assert not await inbox.erase("a")
    assert await redis.keys("inbox:*") == []


async def test_nothing_asked_is_nothing_done(inbox: Inbox) -> None:
    assert await inbox.append([]) == []
    assert await inbox.delete("a", []) == (0, [])


async def test_unread_again_is_counted_and_published(inbox: Inbox, redis: Redis) -> None:
    await inbox.append(some("a", 1, 2, 3))
    await inbox.mark_read("a", None)
    await inbox.delete("a", ["n3"])
    async with redis.pubsub() as heard:
        await heard.subscribe(keys.INBOX_CHANGED)
        await heard.get_message(timeout=20)
        assert await inbox.mark_unread("a", ["n1", "n1", "n3", "n9"]) == (1, ["n1"])
        assert await inbox.mark_unread("a", ["n1"]) == (1, [])
        assert await inbox.delete("a", ["n1", "n3"]) == (0, ["n1"])
        assert await inbox.delete("a", ["n1"]) == (0, [])
        told = [(await heard.get_message(timeout=20))["data"] for _ in range(2)]
    assert [json.loads(data) for data in told] == [
        {"op": "unread", "user_id": "a", "ids": ["n1"], "unread": 1},
        {"op": "deleted", "user_id": "a", "ids": ["n1"], "unread": 0},
    ]


async def test_an_item_lasts_until_it_expires(inbox: Inbox, redis: Redis) -> None:
    seconds, micros = await redis.time()
    now = datetime.fromtimestamp(seconds + micros / 1e6, UTC)
    soon, later = now + timedelta(milliseconds=300), now + timedelta(hours=1)
    epoch = (await inbox.append(some("a", 1, 2, 3), ends={"n2": later, "n3": soon}))[0].epoch
    async with asyncio.timeout(20):
        while await inbox.get("a", "n3"):
            await asyncio.sleep(0.01)
    assert await ids(inbox, "a") == [2, 1]
    assert (await inbox.page("a")).unread == 2
    resumed = await inbox.resume("a", epoch, 1)
    assert (resumed.offset, resumed.unread) == (3, 2)
    assert [offset for offset, _ in resumed.items or ()] == [2]
    assert await inbox.mark_unread("a", ["n3"]) == (2, [])
    assert await inbox.mark_read("a", None) == (0, ["n1", "n2"])
    assert [w.fresh for w in await inbox.append(some("a", 3), ends={"n3": later})] == [False]
    assert await ids(inbox, "a") == [2, 1]


async def test_what_is_over_takes_its_place_and_no_more(inbox: Inbox) -> None:
    over = datetime(2020, 1, 1, tzinfo=UTC)
    written = await inbox.append(some("a", 1, 2, 3), ends={"n2": over})
    assert [(w.offset, w.unread) for w in written] == [(1, 1), (2, 1), (3, 2)]
    assert await ids(inbox, "a") == [3, 1]
    assert await inbox.happened([("a", "n2", Condition.READ)]) == [False]


async def test_nothing_is_left_of_what_ended_was_deleted_or_dropped(
    inbox: Inbox, redis: Redis
) -> None:
    far = datetime(2100, 1, 1, tzinfo=UTC)
    await inbox.append(some("a", 1, 2, 3), ends=dict.fromkeys(("n1", "n2", "n3"), far))
    assert await redis.ttl(keys.inbox_expiry("a")) > KEPT_SECONDS - 60
    await inbox.delete("a", ["n3"])
    await inbox.append(some("a", *range(4, 8)))
    assert await redis.exists(keys.inbox_expiry("a")) == 0
    await inbox.append(some("a", 8))
    assert await ids(inbox, "a") == [8, 7, 6, 5, 4]
