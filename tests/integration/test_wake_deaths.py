"""Whatever dies, comes twice or has a wrong clock while something waits: late and not never, and
nobody is told twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams import restore
from streams.bury import Bury
from streams.restore import Work
from streams.route import Route
from streams.scheduler import Scheduler
from streams.tally import Tally
from streams.wake import Wake
from tests.integration.broadcasting import Killed, Steps
from tests.integration.living import HELD, Life, changed, template
from tocsin.ids import new_id
from tocsin.kafka import send_keyed, start_producer
from tocsin.log import Log
from tocsin.records import (
    Channel,
    Lane,
    NotificationRequest,
    Priority,
    State,
    Strategy,
    encode,
    split_requests,
)
from tocsin.settings import Settings
from tocsin.store import SendResult, Templates, keys
from tocsin.store.clock import StoreClock
from tocsin.topics import (
    DUE,
    INAPP_HIGH,
    MAX_RECORD_BYTES,
    PUSH_HIGH,
    REQUESTS,
    SCHEDULE,
)

pytestmark = pytest.mark.integration
GONE_OUT = (State.DELIVERED, "")
CANCELLED = (State.CANCELLED, "cancelled")
MAIL, PUSH = Channel.EMAIL, Channel.PUSH
INAPP_PUSH = (Channel.INAPP, PUSH)


@pytest.fixture
async def life(settings: Settings, redis: Redis) -> AsyncIterator[Life]:
    producer = await start_producer(settings)
    made = Life(settings, redis, producer)
    await made.person()
    yield made
    # the tests of this module share a log, in which the next one finds nothing of this one waiting
    await send_keyed(producer, SCHEDULE, [(left, None) for left in made.tape.waiting()])
    await producer.stop()


async def _prepared(life: Life) -> dict[str, NotificationRequest]:
    """One of everything that can wait, all due."""
    name, later = f"lamp-{new_id()[-12:]}", life.clock.now() + timedelta(minutes=30)
    made = template(name, 1)
    await Templates(life.redis).put(made)
    for user in ("owl", "gone"):
        await life.person(user)
    asked = {
        "plain": life.ask(send_at=later),
        "cascade": life.ask(strategy=Strategy.CASCADE),
        "read": life.ask(strategy=Strategy.CASCADE),
        "collected": life.ask("REVIEW", channels=(MAIL,)),
        "collected too": life.ask("REVIEW", channels=(MAIL, PUSH)),
        "review later": life.ask("REVIEW", channels=(MAIL, PUSH), send_at=later),
        "off": life.ask(send_at=later),
        "off, collected": life.ask("REVIEW", channels=(MAIL,)),
        "owl": life.ask(user="owl", send_at=later),
        "gone": life.ask(user="gone", send_at=later),
        "wordless": life.ask(template_id=name, channels=(PUSH,), send_at=later),
        "over": life.ask(send_at=later, expires_at=later + timedelta(minutes=1)),
        "capped": life.ask("NUDGE", send_at=later),
    }
    await life.routed(*asked.values())
    await life.work()
    await life.inbox.mark_read("anna", [asked["read"].notification_id])
    for each in ("off", "off, collected"):
        await life.mind.cancellations.cancel(asked[each].notification_id)
    gone = replace(made, versions=(), published=0, revision=2)
    await Templates(life.redis).put(gone)
    life.catalogue.put(gone)
    await life.mind.profiles.delete("gone")
    life.clock.advance(timedelta(minutes=50))
    await life.person("owl", quiet_hours=life.quiet())
    return asked


def _watched(life: Life) -> Steps:
    steps = Steps()
    steps.watch(life.tape, "send", "send_and_wait")
    steps.watch(life.schedule, "put", "collect", "take", "hold", "done")
    steps.watch(life.caps, "take")
    steps.watch(life.inbox, "happened")
    steps.watch(life.mind.profiles, "get_many")
    steps.watch(life.mind.choose, "many")
    return steps


async def _ended_as_ever(life: Life, asked: dict[str, NotificationRequest]) -> None:
    await life.leases_over()
    await life.live_out()
    await life.over()
    ends = {what: life.end(request, "push") for what, request in asked.items()}
    assert ends["plain"] == ends["owl"] == ends["capped"] == GONE_OUT
    assert ends["off"] == CANCELLED
    assert ends["gone"] == (State.FAILED, "unknown_user")
    assert ends["over"] == (State.EXPIRED, "expired_before_routing")
    assert life.end(asked["cascade"], "email") == GONE_OUT
    assert life.end(asked["read"], "email") == (State.CANCELLED, "read")
    told = [life.end(asked[w], "email") for w in ("collected", "collected too", "review later")]
    assert [x and x[0] for x in told] == [State.SUPPRESSED] * 3
    mails = {x[1].removeprefix("digest:") for x in told if x}
    assert {f"{i}:email" for i in mails} <= set(life.phones.got(MAIL))


async def test_a_death_after_any_step_of_waking_tells_nobody_twice_and_forgets_nothing(
    life: Life,
) -> None:
    deaths, fatal = 0, 0
    while deaths == fatal:
        fatal += 1
        asked = await _prepared(life)
        await life.tick()
        records = life.tape.take(DUE)
        steps = _watched(life)
        steps.fatal = fatal
        try:
            await life.wake(records)
        except Killed:
            deaths += 1
        steps.fatal = 0
        for record in records:  # in other batches than before
            await life.wake([record])
        await _ended_as_ever(life, asked)
        await _uncounted(life)
    assert deaths > 10


async def _uncounted(life: Life) -> None:
    """Of the next round nothing is refused for what this one has counted."""
    await life.redis.delete(*(keys.cap("anna", name) for name in ("nudges", "promotional")))


async def test_a_death_of_the_scheduler_after_any_step_is_late_and_not_never(life: Life) -> None:
    for fatal in range(1, 6):
        asked = await _prepared(life)
        steps = _watched(life)
        steps.fatal = fatal
        try:
            await life.tick()
        except Killed:
            await life.work()  # what it had handed on is woken meanwhile
        steps.fatal = 0
        await _ended_as_ever(life, asked)
        await _uncounted(life)


async def test_two_schedulers_hand_on_everything_once(life: Life) -> None:
    asked = [life.ask(channels=(PUSH,), send_at=life.clock.now() + timedelta(hours=1))]
    asked += [life.ask("REVIEW", channels=(MAIL,)) for _ in range(5)]
    await life.routed(*asked)
    life.clock.advance(timedelta(hours=1))
    tape: Any = life.tape
    other = Scheduler(tape, life.schedule, life.settings.partitions)
    found = await asyncio.gather(life.tick(), other.once(), life.tick(), other.once())
    assert sum(found) == len(asked)
    ids = [entry.schedule_id for entry in life.tape.due()]
    assert len(ids) == len(set(ids)) == len(asked)
    await life.live_out()
    await life.over()


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_host_whose_clock_is_off_neither_fires_early_nor_loses(
    life: Life, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """Its clock was off when it started, or is set while it runs: the store's is what counts."""
    there, seconds = time.time, 60 * minutes
    monkeypatch.setattr(time, "time", lambda: there() + seconds)
    clock = await StoreClock.set_by(life.redis)
    for more in (0, -seconds, seconds):
        monkeypatch.setattr(time, "time", lambda more=more: there() + seconds + more)
        assert abs(clock.now().timestamp() - there()) < 1
    mind = life.mind._replace(clock=clock)
    tape: Any = life.tape
    route = Route(mind, life.notifications, life.carry_out, Bury(tape))
    wake = Wake(mind, life.carry_out, life.schedule, life.inbox, life.lines, tape, 4)
    real = datetime.fromtimestamp(there(), UTC)
    soon, past = (real + timedelta(seconds=60 * m) for m in (5, -5))
    early, due = life.ask(send_at=soon, channels=(PUSH,)), life.ask(send_at=past, channels=(PUSH,))
    brief = life.ask(expires_at=soon, channels=(PUSH,))
    await route([life.record(early, due, brief)])
    assert await life.scheduler.once() == 0
    assert len(await life.waiting()) == 1
    await life.redis.zadd(keys.schedule(Lane.NORMAL), dict.fromkeys(await life.waiting(), 0))
    assert await life.scheduler.once() == 1
    await wake(life.tape.take(DUE))  # handed on by somebody's mistake: it is not its hour yet
    assert len(await life.waiting()) == 1
    assert {i for _, i in life.tape.channels()} == {
        f"{r.notification_id}:push" for r in (due, brief)
    }


async def test_a_scheduler_goes_on_after_whatever_happens(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for its task; an entry that cannot be read, or a bug, must not be its end."""
    asked = [life.ask(channels=(PUSH,), send_at=life.clock.now() + timedelta(hours=1))]
    asked.append(changed(asked[0], notification_id=new_id()))
    await life.routed(*asked)
    broken = f"{asked[0].notification_id}:push"
    await life.redis.hset(keys.SCHEDULE_ITEMS, broken, b"{}")
    await life.redis.zadd(keys.schedule(Lane.NORMAL), dict.fromkeys(await life.waiting(), 0))
    errors = [RuntimeError("a bug"), RedisError("away")]
    once, woken = life.scheduler.once, asyncio.Event()

    async def failing() -> int:
        if errors:
            raise errors.pop()
        found = await once()
        woken.set()
        return found

    monkeypatch.setattr(life.scheduler, "once", failing)
    monkeypatch.setattr("streams.scheduler.PAUSE", 0.0)
    running = asyncio.create_task(life.scheduler.run())
    async with asyncio.timeout(60):
        await woken.wait()
    running.cancel()
    assert [e.request.notification_id for e in life.tape.due()] == [asked[1].notification_id]
    assert await life.waiting() == {f"{r.notification_id}:push" for r in asked}


async def test_an_emptied_store_is_restored_with_what_waits_and_what_was_on_its_way(
    life: Life,
) -> None:
    """One digest was handed on and the next had begun; another wait is as large as may be."""
    large = life.ask(
        data={"body": "x" * 999_700}, channels=(PUSH,), send_at=life.clock.now() + timedelta(days=1)
    )
    assert len(encode(large)) <= MAX_RECORD_BYTES
    await life.route([life.single(large)])
    first, second = life.ask("REVIEW", channels=(MAIL,)), life.ask("REVIEW", channels=(MAIL,))
    await life.routed(first)
    life.clock.advance(timedelta(minutes=45))
    await life.tick()
    await life.routed(second)
    anna = await life.mind.profiles.get("anna")
    await life.redis.flushall()
    assert anna is not None
    await life.mind.profiles.put(anna)
    async with Log(life.settings, SCHEDULE) as log:
        tally = Tally(SCHEDULE.name, print)
        await restore.schedule(Work(life.settings, life.redis, "", log, tally))
    assert tally.bad == 0
    await life.redis.set(keys.STORE_READY, "rebuilt")
    await life.balanced()
    await life.tick()  # the first one again
    for record in life.tape.take(DUE):
        await life.wake([record])
    await life.live_out()
    assert life.end(large, "push") == GONE_OUT
    told = [life.end(r, "email") for r in (first, second)]
    assert len({x[1] for x in told if x}) == 2
    assert len(life.phones.got(MAIL)) == 2
    assert [d.data["count"] for d in life.tape.digests()] == [1, 1, 1]
    await life.over()


async def test_handed_on_twice_it_is_sent_once(life: Life) -> None:
    """The scheduler died between handing on and saying so: the same entries in two records."""
    asked = [life.ask(channels=(PUSH,), send_at=life.clock.now() + timedelta(hours=1))]
    asked += [life.ask("REVIEW", channels=(MAIL,)) for _ in range(5)]
    await life.routed(*asked)
    life.clock.advance(timedelta(hours=1))
    await life.tick()
    await life.leases_over()
    await life.tick()
    assert len(life.tape.due()) == 2 * len(asked)
    for record in life.tape.take(DUE):
        await life.wake([record])
    await life.live_out()
    assert len(life.phones.got(MAIL)) == 1
    assert [r.type for r in _requests(life)] == ["DIGEST"] * 2
    await life.over()


def _requests(life: Life) -> list[NotificationRequest]:
    found = [r for x in life.tape.records[REQUESTS.name] for r in split_requests(x.value)]
    return [r for r in found if isinstance(r, NotificationRequest)]


async def test_a_death_after_any_step_of_sending_or_retrying_sends_nobody_twice(
    life: Life,
) -> None:
    """Pushes that arrive, that are tried again, that fail, and one that has become needless."""
    deaths, fatal = 0, 0
    while deaths == fatal:
        fatal += 1
        fine, busy, bad = (life.ask(channels=(PUSH,), priority=Priority.HIGH) for _ in range(3))
        seen = life.ask(strategy=Strategy.CASCADE, channels=INAPP_PUSH, priority=Priority.HIGH)
        await life.routed(fine, busy, bad, seen)
        names = [f"{r.notification_id}:push" for r in (busy, bad)]
        life.phones.answers[names[0]] = [SendResult(names[0], State.RETRY, "busy")]
        life.phones.answers[names[1]] = [SendResult(names[1], State.FAILED, "no")]
        steps = Steps()
        steps.watch(life.tape, "send", "send_and_wait")
        steps.watch(life.phones, "send")
        steps.watch(life.inbox, "happened")
        steps.fatal = fatal
        try:
            await _sent_and_retried(life, seen)
        except Killed:
            deaths += 1
            await _sent_and_retried(life, seen)
        steps.fatal = 0
        await life.live_out()
        await life.over()
        assert [life.end(r, "push") for r in (fine, busy, bad, seen)] == [
            GONE_OUT, GONE_OUT, (State.FAILED, "no"), (State.CANCELLED, "acked"),
        ]  # fmt: skip
    assert deaths > 5


async def _sent_and_retried(life: Life, seen: NotificationRequest) -> None:
    """Each topic read from where it was left, that is, what was not done is read again."""
    for topic in (INAPP_HIGH, PUSH_HIGH):
        if records := list(life.tape.unread[topic.name]):
            await life.dispatch[topic](records)
            life.tape.take(topic)
    await life.inbox.mark_read("anna", [seen.notification_id])
    life.clock.advance(timedelta(seconds=10))
    if records := [r for topic in HELD for r in life.tape.unread[topic.name]]:
        await life.retry(records)
        for topic in HELD:
            life.tape.take(topic)
