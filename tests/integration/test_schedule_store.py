"""What waits for its hour, on a real store: taken once, by lease, in digests, never forgotten."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from tocsin.records import Channel, Deferred, Lane, NotificationRequest, Priority
from tocsin.store import keys
from tocsin.store.schedule import HOLD_MS, LEASE_MS, Schedule

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC).replace(microsecond=0)
PAST = NOW - timedelta(minutes=1)
AHEAD = NOW + timedelta(hours=3)


def _entry(name: str, due: datetime = PAST, user: str = "anna", **more: object) -> Deferred:
    request = NotificationRequest(notification_id=name, user_id=user, type="REVIEW")
    return Deferred(
        schedule_id=f"{name}:email",
        request=request,
        channels=(Channel.EMAIL,),
        accepted_at=PAST,
        due_at=due,
        **{"why": "send_at", "category": "promotional", **more},  # type: ignore[arg-type]
    )


def _ids(found: list[Deferred]) -> set[str]:
    return {entry.schedule_id for entry in found}


async def _collected(schedule: Schedule, entries: Sequence[Deferred]) -> list[Deferred]:
    found = await schedule.collect(entries)
    return [entry for entry in found if entry is not None]


async def _lease_over(redis: Redis, member: str) -> None:
    await redis.zadd(keys.schedule_leased(Lane.NORMAL), {member: 1})


async def test_what_is_due_is_taken_once_and_what_is_not_waits(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a"), _entry("b"), _entry("c", AHEAD)])
    taken = await schedule.take(Lane.NORMAL, 10)
    assert _ids(taken.due) == {"a:email", "b:email"}
    assert taken.next_ms is not None
    assert 0 < taken.next_ms <= 3 * 3600 * 1000
    assert (await Schedule(redis).take(Lane.NORMAL, 10)).due == []


async def test_what_a_dead_scheduler_took_is_taken_again(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a")])
    await schedule.take(Lane.NORMAL, 10)
    left = await redis.zscore(keys.schedule_leased(Lane.NORMAL), "a:email")
    assert left is not None
    assert left - datetime.now(UTC).timestamp() * 1000 == pytest.approx(LEASE_MS, abs=5_000)
    await _lease_over(redis, "a:email")
    assert _ids((await schedule.take(Lane.NORMAL, 10)).due) == {"a:email"}


async def test_what_is_on_its_way_is_left_alone_for_longer(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a")])
    await schedule.hold((await schedule.take(Lane.NORMAL, 10)).due)
    left = await redis.zscore(keys.schedule_leased(Lane.NORMAL), "a:email")
    assert left is not None
    assert left - datetime.now(UTC).timestamp() * 1000 == pytest.approx(HOLD_MS, abs=5_000)


async def test_what_is_done_leaves_nothing_behind(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a")])
    await schedule.done((await schedule.take(Lane.NORMAL, 10)).due)
    assert await redis.keys("*schedule*") == []


async def test_what_was_put_again_meanwhile_is_not_done(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a")])
    taken = (await schedule.take(Lane.NORMAL, 10)).due
    await schedule.put([_entry("a", AHEAD)])
    await schedule.done(taken)
    assert await schedule.size() == 1
    await _lease_over(redis, "a:email")
    assert await schedule.hasten("anna") == 1
    assert _ids((await schedule.take(Lane.NORMAL, 10)).due) == {"a:email"}


async def test_putting_twice_waits_once_until_the_later_word(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a")])
    await schedule.put([_entry("a", AHEAD)])
    assert (await schedule.take(Lane.NORMAL, 10)).due == []
    assert await schedule.size() == 1


async def test_at_most_so_many_are_taken_and_the_rest_next(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry(f"n{i}") for i in range(25)])
    sizes = [len((await schedule.take(Lane.NORMAL, 10)).due) for _ in range(4)]
    assert sizes == [10, 10, 5, 0]


async def test_hastening_one_notification_leaves_the_others(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a", AHEAD), _entry("b", AHEAD), _entry("x", AHEAD, "ben")])
    assert await schedule.hasten("anna", "a") == 1
    assert _ids((await schedule.take(Lane.NORMAL, 10)).due) == {"a:email"}
    assert await schedule.hasten("nobody") == 0


async def test_each_lane_is_taken_by_itself(redis: Redis) -> None:
    schedule = Schedule(redis)
    low = replace(_entry("a").request, priority=Priority.LOW)
    await schedule.put([replace(_entry("a"), request=low), _entry("b")])
    assert _ids((await schedule.take(Lane.NORMAL, 10)).due) == {"b:email"}
    assert (await schedule.take(Lane.HIGH, 10)).due == []
    taken = (await schedule.take(Lane.LOW, 10)).due
    assert _ids(taken) == {"a:email"}
    await schedule.done(taken)
    assert (await redis.zcard(keys.schedule_leased(Lane.LOW))) == 0


async def test_what_cannot_be_read_stops_nobody(redis: Redis) -> None:
    schedule = Schedule(redis)
    await schedule.put([_entry("a"), _entry("b")])
    await redis.hset(keys.SCHEDULE_ITEMS, "a:email", '{"of":"another version"}')
    assert _ids((await schedule.take(Lane.NORMAL, 10)).due) == {"b:email"}


async def test_a_digest_collects_under_its_first_ones_due(redis: Redis) -> None:
    schedule = Schedule(redis)
    first, second = await _collected(schedule, [_entry("a", AHEAD), _entry("b", AHEAD)])
    later = AHEAD + timedelta(hours=1)
    (third,) = await _collected(schedule, [_entry("c", later)])
    assert first.digest == second.digest == third.digest != ""
    assert third.due_at == first.due_at
    assert await schedule.size() == 1


async def test_other_people_categories_and_channels_collect_apart(redis: Redis) -> None:
    schedule = Schedule(redis)
    found = await _collected(
        schedule,
        [
            _entry("a", AHEAD),
            _entry("b", AHEAD, "ben"),
            _entry("c", AHEAD, category="stock"),
            replace(_entry("d", AHEAD), channels=(Channel.PUSH,)),
        ],
    )
    assert len({entry.digest for entry in found}) == 4


async def test_a_taken_digest_has_all_of_it_and_is_closed(redis: Redis) -> None:
    schedule = Schedule(redis)
    await _collected(schedule, [_entry("a"), _entry("b")])
    taken = (await schedule.take(Lane.NORMAL, 1)).due
    assert _ids(taken) == {"a:email", "b:email"}
    assert len({entry.digest for entry in taken}) == 1
    (late,) = await _collected(schedule, [_entry("c", AHEAD)])
    assert late.digest != taken[0].digest
    await schedule.done(taken)
    assert await schedule.size() == 1
    assert await schedule.hasten("anna", "c") == 1


async def test_collected_again_it_stays_where_it_is(redis: Redis) -> None:
    schedule = Schedule(redis)
    (before,) = await _collected(schedule, [_entry("a")])
    assert await _collected(schedule, [_entry("a")]) == [before]
    await schedule.take(Lane.NORMAL, 1)
    assert await _collected(schedule, [_entry("a", AHEAD)]) == [replace(before, due_at=AHEAD)]
    await schedule.done([before])
    assert await schedule.size() == 0
    assert await schedule.collect([_entry("a", AHEAD)]) == [None], "it was told"
    await redis.delete("{schedule}:told:a:email")
    assert await redis.keys("*schedule*") == []


async def test_a_full_digest_is_followed_by_another(redis: Redis) -> None:
    schedule = Schedule(redis, bucket=2)
    found = await _collected(schedule, [_entry(f"n{i}", AHEAD) for i in range(5)])
    assert [len({e.digest for e in found[i : i + 2]}) for i in (0, 2)] == [1, 1]
    assert len({entry.digest for entry in found}) == 3


async def test_a_digest_is_taken_again_as_it_was(redis: Redis) -> None:
    schedule = Schedule(redis)
    (one,) = await _collected(schedule, [_entry("a")])
    first = (await schedule.take(Lane.NORMAL, 1)).due
    await _lease_over(redis, f"digest|{one.digest}")
    assert (await schedule.take(Lane.NORMAL, 1)).due == first


async def test_restored_from_the_log_it_is_the_same_digest(redis: Redis) -> None:
    schedule = Schedule(redis)
    kept = await _collected(schedule, [_entry("a"), _entry("b")])
    await redis.flushall()
    assert await _collected(schedule, kept) == kept
    assert _ids((await schedule.take(Lane.NORMAL, 1)).due) == {"a:email", "b:email"}
