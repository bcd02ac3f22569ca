"""What waits for its hour, on a real store and broker: woken as the world is then, once, whatever
dies."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from streams.decide import decide
from streams.digest import LISTED
from tests.integration.broadcasting import Killed, Steps
from tests.integration.living import HELD, Life, template
from tocsin.ids import new_id
from tocsin.kafka import send_keyed, start_producer
from tocsin.records import (
    Channel,
    Priority,
    State,
    Strategy,
    encode,
)
from tocsin.settings import Settings
from tocsin.store import SendResult, Templates
from tocsin.topics import (
    DUE,
    MAX_RECORD_BYTES,
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


async def test_send_at_goes_out_at_its_hour_and_not_before(life: Life) -> None:
    asked = life.ask(send_at=life.clock.now() + timedelta(hours=1), priority=Priority.HIGH)
    await life.routed(asked)
    await life.pass_time(minutes=59)
    assert life.phones.sent == []
    assert len(await life.waiting()) == 1
    await life.pass_time(minutes=1)
    assert [life.end(asked, c) for c in ("inapp", "push", "email")] == [GONE_OUT] * 3
    states = [o.state for o in life.tape.outcomes() if o.channel == "push"]
    assert states == [State.ACCEPTED, State.DEFERRED, State.ROUTED, State.DELIVERED]
    assert {d.priority for d in life.phones.sent} == {Priority.HIGH}
    await life.over()


async def test_quiet_hours_put_off_to_their_end_and_critical_passes(life: Life) -> None:
    await life.person(quiet_hours=life.quiet())
    asked, critical = life.ask(), life.ask(priority=Priority.CRITICAL)
    await life.routed(asked, critical)
    await life.work()
    assert {d.notification_id for d in life.phones.sent} == {critical.notification_id}
    await life.pass_time(minutes=90)
    assert life.end(asked, "push") is None
    await life.pass_time(minutes=30)
    assert life.end(asked, "push") == GONE_OUT
    await life.over()


async def test_woken_into_quiet_hours_it_waits_again_in_log_and_store(life: Life) -> None:
    asked = life.ask(send_at=life.clock.now() + timedelta(hours=1))
    await life.routed(asked)
    await life.person(quiet_hours=life.quiet(hours=3))
    await life.pass_time(hours=1)
    assert life.phones.sent == []
    assert len(await life.waiting()) == 1
    await life.balanced()
    await life.pass_time(hours=2)
    assert life.end(asked, "push") == GONE_OUT
    await life.over()


async def test_an_escalation_goes_out_unless_it_was_read(life: Life) -> None:
    read, unread = (life.ask(strategy=Strategy.CASCADE) for _ in range(2))
    await life.routed(read, unread)
    await life.work()
    await life.inbox.mark_read("anna", [read.notification_id])
    await life.pass_time(minutes=29)
    assert life.phones.got(MAIL) == []
    await life.pass_time(minutes=1)
    assert life.phones.got(MAIL) == [f"{unread.notification_id}:email"]
    assert life.end(read, "email") == (State.CANCELLED, "read")
    assert life.end(read, "push") == (State.CANCELLED, "acked"), "what is read has arrived"
    await life.over()


async def test_a_push_follows_unless_a_device_acknowledges_at_once(life: Life) -> None:
    acked, silent = (life.ask(strategy=Strategy.CASCADE) for _ in range(2))
    await life.routed(acked, silent)
    await life.work()
    at = await life.inbox.resume("anna")
    first = [x async for x in _offsets(life, at.epoch) if x[1] == acked.notification_id]
    await life.inbox.ack([("anna", at.epoch, first[0][0])])
    await life.pass_time(seconds=2)
    assert life.phones.got(PUSH) == []
    await life.pass_time(seconds=1)
    assert life.end(acked, "push") == (State.CANCELLED, "acked")
    assert life.phones.got(PUSH) == [f"{silent.notification_id}:push"]
    await life.live_out()
    await life.over()


async def _offsets(life: Life, epoch: str) -> AsyncIterator[tuple[int, str]]:
    del epoch
    for delivery in life.phones.sent:
        entry = await life.inbox.get("anna", delivery.notification_id)
        assert entry is not None
        yield entry.offset, delivery.notification_id


async def test_a_digest_is_one_message_with_a_line_for_each(life: Life) -> None:
    asked = [life.ask("REVIEW", data={"product": f"lamp {i}"}) for i in range(3)]
    for request in asked:
        await life.routed(request)
    await life.work()
    assert life.phones.got(MAIL) == []
    assert life.phones.got(Channel.INAPP) == [f"{r.notification_id}:inapp" for r in asked]
    await life.pass_time(minutes=45)
    (digest,) = life.tape.digests()
    assert (digest.data["count"], digest.data["more"]) == (3, 0)
    assert [("lamp" in f"{x['title']}{x['body']}") for x in digest.data["items"]] == [True] * 3
    assert life.phones.got(MAIL) == [f"{digest.notification_id}:email"]
    told = (State.SUPPRESSED, f"digest:{digest.notification_id}")
    assert [life.end(r, "email") for r in asked] == [told] * 3
    assert digest.category == "promotional"
    await life.over()


async def test_a_digest_done_again_after_a_change_of_mind_is_the_same_one(life: Life) -> None:
    """It dies when the digest was told; then one of its entries is cancelled, and it is read again:
    another digest, of the rest, would tell them twice."""
    asked = [life.ask("REVIEW", channels=(MAIL,)) for _ in range(3)]
    await life.routed(*asked)
    life.clock.advance(timedelta(minutes=45))
    await life.tick()
    records = life.tape.take(DUE)
    steps = Steps()
    steps.watch(life.tape, "send")
    steps.fatal = 1
    with pytest.raises(Killed):
        await life.wake(records)
    await life.cancel(asked[0])
    await life.wake(records)
    await life.live_out()
    assert len({r.notification_id for r in life.tape.digests()}) == 1
    assert len(life.phones.got(MAIL)) == 1
    await life.over()


async def test_long_lines_do_not_make_a_digest_nobody_can_read(life: Life) -> None:
    """Each has words and a link of the largest size; the digest stays below what
    a request may be."""
    data = {"product": "🕯" * 1_900, "url": "https://x.org/" + "ü" * 900}
    asked = [life.ask("REVIEW", data=data, channels=(MAIL,)) for _ in range(LISTED)]
    await life.routed(*asked)
    await life.pass_time(minutes=45)
    (digest,) = life.tape.digests()
    assert len(encode(digest)) < MAX_RECORD_BYTES // 4
    assert len(digest.data["items"]) + digest.data["more"] == digest.data["count"] == LISTED
    assert life.phones.got(MAIL) == [f"{digest.notification_id}:email"]
    assert life.tape.letters() == []
    await life.over()


async def test_a_digest_too_large_for_a_record_is_several_the_same_ones_each_time(
    life: Life,
) -> None:
    asked = [life.ask("REVIEW", data={"x": "x" * 400_000}, channels=(MAIL,)) for _ in range(4)]
    for request in asked:
        await life.routed(request)
    life.clock.advance(timedelta(minutes=45))
    await life.tick()
    records = life.tape.take(DUE)
    assert len(records) == 2
    steps = Steps()
    steps.watch(life.schedule, "done")
    steps.fatal = 1
    with pytest.raises(Killed):
        await life.wake(records)
    for record in records:
        await life.wake([record])
    await life.live_out()
    told = [end[1].removeprefix("digest:") for r in asked if (end := life.end(r, "email"))]
    assert len(set(told)) == 2
    assert set(life.phones.got(MAIL)) == {f"{name}:email" for name in told}
    assert [d.data["count"] for d in life.tape.digests()] == [2] * 4
    await life.over()


async def test_what_is_cancelled_while_it_waits_ends_at_once(life: Life) -> None:
    waits = life.ask(send_at=life.clock.now() + timedelta(days=2))
    cascade = life.ask(strategy=Strategy.CASCADE)
    collected, other = life.ask("REVIEW", channels=(MAIL,)), life.ask("REVIEW", channels=(MAIL,))
    await life.routed(waits, cascade, collected, other)
    await life.work()
    for request in (waits, cascade, collected):
        await life.cancel(request)
    await life.pass_time(seconds=5)
    assert [life.end(waits, c) for c in ("inapp", "push", "email")] == [CANCELLED] * 3
    assert life.end(cascade, "inapp") == GONE_OUT
    assert [life.end(cascade, c) for c in ("push", "email")] == [CANCELLED] * 2
    await life.pass_time(minutes=45)
    assert life.end(collected, "email") == CANCELLED
    (digest,) = life.tape.digests()
    assert digest.data["count"] == 1
    await life.over()


async def test_cancelling_hastens_no_other_notification_whose_id_begins_alike(life: Life) -> None:
    """An escalation woken early would go out early."""
    name = new_id()
    one = life.ask(notification_id=name, strategy=Strategy.CASCADE)
    other = life.ask(notification_id=f"{name}:2", strategy=Strategy.CASCADE)
    await life.routed(one, other)
    await life.work()
    await life.cancel(one)
    await life.pass_time(seconds=5)
    assert life.phones.got(MAIL) == []
    await life.pass_time(minutes=30)
    assert life.phones.got(MAIL) == [f"{name}:2:email"]
    await life.over()


async def test_of_a_person_erased_meanwhile_nothing_is_sent_or_kept(life: Life) -> None:
    later = life.clock.now() + timedelta(days=1)
    asked = [
        life.ask(send_at=later), life.ask("REVIEW", channels=(MAIL,)),
        life.ask("REVIEW", channels=(MAIL,)),
    ]  # fmt: skip
    await life.routed(*asked)
    await life.erase("anna")
    await life.pass_time(seconds=1)
    assert life.phones.sent == []
    assert [life.end(r, "email") for r in asked] == [(State.FAILED, "unknown_user")] * 3
    await life.over()


async def test_words_deleted_meanwhile_end_it_with_the_reason(life: Life) -> None:
    name = f"lamp-{new_id()[-12:]}"
    made = template(name, 1)
    await Templates(life.redis).put(made)
    later = life.clock.now() + timedelta(hours=1)
    asked, off = (life.ask(template_id=name, send_at=later, channels=(PUSH,)) for _ in range(2))
    await life.routed(asked, off)
    gone = replace(made, versions=(), published=0, revision=2)
    await Templates(life.redis).put(gone)
    life.catalogue.put(gone)
    await life.mind.cancellations.cancel(off.notification_id)
    await life.pass_time(hours=1)
    ended = life.end(asked, "push")
    assert ended is not None
    assert ended[0] is State.FAILED
    assert ended[1].startswith("template: template_")
    assert life.end(off, "push") == CANCELLED, "cancelled, whatever else is true of it"
    await life.over()


async def test_words_published_meanwhile_change_nothing(life: Life) -> None:
    name = f"lamp-{new_id()[-12:]}"
    first, second = template(name, 1), template(name, 2)
    await Templates(life.redis).put(first)
    later = life.clock.now() + timedelta(hours=1)
    await life.routed(life.ask(template_id=name, send_at=later, channels=(PUSH,)))
    both = replace(second, versions=(*first.versions, *second.versions))
    life.catalogue.put(both)
    await life.pass_time(hours=1)
    assert [(d.template_id, d.template_version) for d in life.phones.sent] == [(name, 1)]
    await life.over()


async def test_what_is_over_before_anybody_woke_it_has_expired(life: Life) -> None:
    """Nobody was there to wake it: late rather than never, and not later than it makes sense."""
    now = life.clock.now()
    asked = life.ask(
        send_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2), channels=(PUSH,)
    )
    late = life.ask(send_at=now + timedelta(hours=1), channels=(PUSH,))
    await life.routed(asked, late)
    await life.pass_time(hours=3)
    assert life.end(asked, "push") == (State.EXPIRED, "expired_before_routing")
    assert life.end(late, "push") == GONE_OUT
    await life.over()


async def test_a_retry_of_what_waited_goes_on_until_it_arrives(life: Life) -> None:
    asked = life.ask(send_at=life.clock.now() + timedelta(hours=1), channels=(PUSH,))
    await life.routed(asked)
    name = f"{asked.notification_id}:push"
    life.phones.answers[name] = [
        SendResult(name, State.RETRY, "busy", retry_after=60),
        SendResult(name, State.RETRY, "busy"),
    ]
    await life.pass_time(hours=1)
    assert life.phones.sent == []
    await life.pass_time(minutes=2)
    await life.pass_time(minutes=2)
    assert [d.attempt for d in life.phones.sent] == [3]
    assert life.end(asked, "push") == GONE_OUT
    await life.over()


async def test_what_was_sent_before_a_crash_keeps_its_end_though_it_was_read_since(
    life: Life,
) -> None:
    asked = life.ask(strategy=Strategy.CASCADE)
    await life.routed(asked)
    await life.work()
    life.clock.advance(timedelta(minutes=30))
    await life.tick()
    records = life.tape.take(DUE)
    await life.wake(records)
    await life.work()
    await life.inbox.mark_read("anna", [asked.notification_id])
    await life.wake(records)
    await life.live_out()
    assert life.end(asked, "email") == GONE_OUT
    await life.over()


async def test_a_push_released_before_a_crash_keeps_its_end_though_it_was_seen_since(
    life: Life,
) -> None:
    asked, tried = (life.ask(strategy=Strategy.CASCADE, channels=INAPP_PUSH) for _ in range(2))
    await life.routed(asked, tried)
    await life.work()
    name = f"{tried.notification_id}:push"
    life.phones.answers[name] = [SendResult(name, State.RETRY, "busy", retry_after=60)]
    life.clock.advance(timedelta(seconds=3))
    records = [r for topic in HELD for r in life.tape.take(topic)]
    await life.retry(records)
    await life.work()
    for request in (asked, tried):
        await life.inbox.mark_read("anna", [request.notification_id])
    await life.retry(records)
    assert life.end(tried, "push") is None
    await life.pass_time(minutes=2)
    assert life.end(asked, "push") == GONE_OUT
    assert life.end(tried, "push") == (State.CANCELLED, "acked"), "before its second attempt"
    await life.over()


async def test_a_bug_in_deciding_ends_only_what_was_still_open(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, good = (life.ask(strategy=Strategy.CASCADE) for _ in range(2))
    await life.routed(asked, good)
    await life.work()

    def broken(request: Any, *more: Any) -> Any:
        if request.notification_id == asked.notification_id:
            raise RuntimeError("a bug")
        return decide(request, *more)

    monkeypatch.setattr("streams.wake.decide", broken)
    await life.pass_time(minutes=30)
    assert life.end(asked, "email") == (State.FAILED, "could not be routed")
    assert [life.end(asked, c) for c in ("inapp", "push")] == [GONE_OUT] * 2
    assert life.end(good, "email") == GONE_OUT
    await life.over()
