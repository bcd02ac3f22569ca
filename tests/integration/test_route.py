"""The router on a real store and broker: what leaves, in which lane, once, and what is buried."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from streams.consume import Record
from streams.dlq import put_back_now
from tests.integration.broadcasting import Killed, Steps
from tests.integration.living import Life, on, template
from tocsin.dead import letters
from tocsin.errors import StoreEmptied
from tocsin.ids import new_id
from tocsin.kafka import PLACE_HEADER, start_producer
from tocsin.log import read_all
from tocsin.records import (
    Channel,
    Priority,
    State,
    Variable,
    encode,
)
from tocsin.settings import Settings
from tocsin.store import SendResult, Templates, keys
from tocsin.topics import BY_CHANNEL, OUTCOMES, REQUESTS

pytestmark = pytest.mark.integration
GONE_OUT = (State.DELIVERED, "")


@pytest.fixture
async def life(settings: Settings, redis: Redis) -> AsyncIterator[Life]:
    producer = await start_producer(settings)
    made = Life(settings, redis, producer)
    await made.person()
    yield made
    await producer.stop()


async def test_each_delivery_stands_in_its_channels_lane_in_the_order_it_came(life: Life) -> None:
    """But for critical ones, which go first in every batch of their lane."""
    asked = [
        life.ask(channels=(Channel.PUSH, Channel.SMS), priority=priority)
        for _ in range(3)
        for priority in Priority
    ]
    await life.routed(*asked)
    lanes = {"critical": "high", "high": "high", "normal": "normal", "low": "low"}
    for channel in (Channel.PUSH, Channel.SMS):
        for lane in ("high", "normal", "low"):
            topic = BY_CHANNEL[channel, lane]
            stand = sorted(
                (r for r in asked if lanes[r.priority] == lane),
                key=lambda r: r.priority is not Priority.CRITICAL,
            )
            wanted = [r.notification_id for r in stand]
            assert [d.notification_id for d in life.tape.deliveries(topic)] == wanted
            assert {r.partition for r in life.tape.records[topic.name]} == {1}, "as it was read"


async def test_what_leaves_is_opened_with_the_way_it_was_decided(life: Life) -> None:
    await life.person("mute", muted={"alarms": (Channel.PUSH,)})
    asked = life.ask(user="mute", priority=Priority.HIGH)
    await life.routed(asked)
    rows = {(o.channel, o.state): o for o in life.tape.outcomes()}
    trace = rows["email", State.ACCEPTED].trace
    for step in (
        "rules=",
        "category=alarms",
        "lane=high",
        "opt_out=no",
        "quiet=no",
        "strategy=all",
    ):
        assert step in trace
    assert rows["push", State.ACCEPTED].trace == "", "how it ended says why"
    muted = rows["push", State.SUPPRESSED]
    assert (muted.reason, muted.trace.split(";")[-1]) == ("muted", "muted=muted")
    assert {o.accepted_at for o in rows.values()} == {asked.accepted_at}
    written = [r async for r in read_all(life.settings, OUTCOMES)]
    assert [r.value for r in written][-1] == life.tape.records[OUTCOMES.name][-1].value


async def test_the_same_id_from_elsewhere_is_not_answered_for_twice(life: Life) -> None:
    asked = life.ask(channels=(Channel.SMS,))
    first = await life.routed(asked)
    await life.routed(asked, life.ask(channels=(Channel.PUSH,)))
    assert [i for _, i in life.tape.channels()].count(f"{asked.notification_id}:sms") == 1
    await life.route([first])
    assert [i for _, i in life.tape.channels()].count(f"{asked.notification_id}:sms") == 2, (
        "the same place again: it may not have been durable"
    )
    await life.live_out()
    await life.over()


async def test_a_dedupe_key_and_a_collapse_window_let_one_through(life: Life) -> None:
    await life.person("ben")
    keyed = [
        life.ask(dedupe_key="k"),
        life.ask(dedupe_key="k"),
        life.ask(user="ben", dedupe_key="k"),
    ]
    offers = [life.ask("SALE_OFFER", collapse_key="c") for _ in range(3)]
    other = life.ask("SALE_OFFER", collapse_key="d")
    windowless = [life.ask(collapse_key="c") for _ in range(2)]
    record = await life.routed(*keyed, *offers, other, *windowless)
    await life.route([record])
    await life.live_out()
    duplicate = (State.SUPPRESSED, "duplicate")
    assert [life.end(r, "push") for r in keyed] == [GONE_OUT, duplicate, GONE_OUT]
    assert [life.end(r, "push") for r in offers] == [GONE_OUT, duplicate, duplicate]
    assert [life.end(r, "push") for r in (other, *windowless)] == [GONE_OUT] * 3
    await life.over()


async def test_a_bad_item_is_buried_alone_and_its_neighbours_go_out(life: Life) -> None:
    good, wrong = life.ask(channels=(Channel.SMS,)), life.ask("COMPLAINT_RESPONSE")
    broken = b'{"notification_id":"x","user_id":"anna","type":"lower"}'
    place = await life.routed(good, broken, wrong)
    assert [i for _, i in life.tape.channels()] == [f"{good.notification_id}:sms"]
    found = {x.field: x for x in await letters(life.settings) if x.offset == place.offset}
    assert set(found) == {"requests[1].type", "data.complaint"}
    assert found["requests[1].type"].notification_id == ""
    assert found["data.complaint"].notification_id == wrong.notification_id
    await put_back_now(life.settings, list(found.values()))
    back = await _put_back(life.settings, place)
    assert sorted(r.value for r in back) == sorted([broken, encode(wrong)])


async def test_a_missing_variable_is_buried_and_put_back_once_its_words_are_mended(
    life: Life,
) -> None:
    """Nothing remembered it, so the put back record is its first; and a second one its second."""
    name = f"lamp-{new_id()[-12:]}"
    await Templates(life.redis).put(template(name, 1, lamp=Variable()))
    asked = life.ask("NUDGE", template_id=name, channels=(Channel.PUSH,))
    place = await life.routed(asked)
    (letter,) = [x for x in await letters(life.settings) if x.offset == place.offset]
    assert (letter.field, letter.notification_id) == ("data.lamp", asked.notification_id)
    assert letter.error == "Invalid"
    assert life.tape.outcomes() == []

    life.catalogue.put(template(name, 2, lamp=Variable(required=False)))
    await Templates(life.redis).put(template(name, 2, lamp=Variable(required=False)))
    for _ in range(2):
        await put_back_now(life.settings, [letter])
    back = await _put_back(life.settings, place)
    assert len(back) == 2
    await life.route(back)
    await life.live_out()
    assert life.phones.got() == [f"{asked.notification_id}:push"]
    await life.over()


async def test_a_code_that_comes_by_kafka_goes_nowhere_not_even_into_its_letter(
    life: Life,
) -> None:
    for asked in (
        life.ask("OTP", data={"code": "918273", "minutes": 5}, channels=(Channel.SMS,)),
        life.ask("ALARM", template_id="OTP", data={"code": "918273", "minutes": 5}),
    ):
        await life.routed(asked)
    assert life.tape.outcomes() == []
    found = life.tape.letters()
    assert [letter.field for letter in found] == ["type", "template_id"]
    assert not any(b"918273" in base64.b64decode(letter.payload_b64) for letter in found)


async def test_an_hour_beyond_what_anybody_remembers_is_refused(life: Life) -> None:
    asked = life.ask(send_at=life.clock.now() + timedelta(days=400))
    await life.routed(asked)
    (letter,) = life.tape.letters()
    assert (letter.field, letter.notification_id) == ("send_at", asked.notification_id)


async def _put_back(settings: Settings, place: Record) -> list[Record]:
    """What came back from this place, as it is consumed."""
    found = [
        Record(r.topic, r.partition, r.offset, r.value, datetime.now(UTC), place.place)
        async for r in read_all(settings, REQUESTS)
        if dict(r.headers).get(PLACE_HEADER) == place.place.encode()
    ]
    assert {r.partition for r in found} == {place.partition}
    return found


async def test_caps_count_over_batches_and_not_over_what_is_read_again(life: Life) -> None:
    """Of nudges two an hour: the third is refused, in the same batch or in another."""
    await life.person("ben")
    asked = [life.ask("NUDGE") for _ in range(4)]
    ben = life.ask("NUDGE", user="ben")
    critical = life.ask("NUDGE", priority=Priority.CRITICAL)
    records = [life.record(*asked[:1]), life.record(*asked[1:3], ben), life.record(asked[3])]
    for record in (*records, *records):
        await life.route([record])
    await life.route(records)
    await life.routed(critical)
    await life.live_out()
    capped = (State.SUPPRESSED, "capped:nudges")
    assert [life.end(r, "push") for r in asked] == [GONE_OUT, GONE_OUT, capped, capped]
    assert [life.end(r, "push") for r in (ben, critical)] == [GONE_OUT] * 2
    counts = [o.trace.split("cap=")[1] for o in life.tape.outcomes() if "cap=nudges:" in o.trace]
    assert {"nudges:1/2", "nudges:2/2", "nudges:reached"} == set(counts)
    await life.over()


async def test_what_was_taken_back_before_it_was_routed_is_cancelled(life: Life) -> None:
    sale = new_id()
    own, part, other = life.ask(), life.ask(broadcast_id=sale), life.ask(broadcast_id=new_id())
    await life.mind.cancellations.cancel(own.notification_id)
    await life.mind.cancellations.cancel(sale)
    await life.routed(own, part, other)
    await life.live_out()
    cancelled = (State.CANCELLED, "cancelled")
    assert [life.end(r, "email") for r in (own, part, other)] == [cancelled, cancelled, GONE_OUT]
    await life.over()


async def test_somebody_nobody_knows_is_a_failure_that_is_on_record(life: Life) -> None:
    asked = life.ask(user="nobody")
    await life.routed(asked)
    assert life.end(asked, "push") == (State.FAILED, "unknown_user")
    await life.over()


async def test_an_emptied_store_waits_and_decides_right_once_it_is_rebuilt(life: Life) -> None:
    """Nobody is unknown, nothing uncancelled, and nothing is forgotten or sent twice after it."""
    asked, off = life.ask(), life.ask()
    anna = await life.mind.profiles.get("anna")
    assert anna is not None
    await life.redis.flushall()
    record = life.record(asked, off)
    for _ in range(2):
        with pytest.raises(StoreEmptied):
            await life.route([record])
    assert life.tape.outcomes() == []
    await life.mind.profiles.put(anna)
    with pytest.raises(StoreEmptied):  # whether it was cancelled is not known yet
        await life.route([record])
    await life.mind.cancellations.cancel(off.notification_id)
    await life.redis.set(keys.STORE_READY, "rebuilt")
    await life.route([record])
    await life.live_out()
    assert life.end(asked, "push") == GONE_OUT
    assert life.end(off, "push") == (State.CANCELLED, "cancelled")
    await life.over()


async def test_an_outage_buries_nothing_again_and_again(life: Life) -> None:
    """The batch is tried until the store is back; its bad item has one letter, not one a try."""
    await life.redis.delete(keys.STORE_READY)
    record = life.record(life.ask(user="ben"), b"{}")
    for _ in range(3):
        with pytest.raises(StoreEmptied):
            await life.route([record])
    assert life.tape.letters() == []
    await life.redis.set(keys.STORE_READY, "rebuilt")
    await life.route([record])
    assert len(life.tape.letters()) == 1


async def test_a_death_after_any_step_loses_nothing_and_tells_nobody_twice(life: Life) -> None:
    """A batch with everything in it: sends, refusals, waits, a digest, a bad item; read again."""
    await life.person("owl", quiet_hours=life.quiet())
    steps = Steps()
    steps.watch(life.tape, "send", "send_and_wait")
    steps.watch(life.schedule, "put", "collect")
    steps.watch(life.caps, "take")
    steps.watch(life.notifications, "seen")
    fatal, deaths = 0, 0
    while deaths == fatal:
        fatal, steps.count, steps.fatal = fatal + 1, 0, fatal + 1
        later = life.clock.now() + timedelta(minutes=30)
        asked = [
            life.ask(strategy="cascade"), life.ask(user="owl"), life.ask(send_at=later),
            life.ask("REVIEW", channels=(Channel.EMAIL, Channel.PUSH)), life.ask("NUDGE"),
            life.ask(user="nobody"), *(life.ask(dedupe_key=f"k{fatal}") for _ in range(2)),
        ]  # fmt: skip
        record = life.record(*asked, b'{"type":1}')
        try:
            await life.route([record])
        except Killed:
            deaths += 1
        steps.fatal = 0
        await life.route([record])
    assert deaths > 10
    assert len({letter.offset for letter in life.tape.letters()}) == fatal
    life.clock.advance(timedelta(hours=2))
    await life.live_out()
    await life.over()


async def test_what_was_sent_before_a_crash_keeps_its_end_whatever_has_changed(life: Life) -> None:
    """It was durable, only its acknowledgement was not: read again after an opt-out or a change of
    mind, the decision would be another one."""
    out, off = life.ask(channels=(Channel.INAPP, Channel.PUSH, Channel.SMS)), life.ask()
    record = await life.routed(out, off)
    name = f"{out.notification_id}:push"
    life.phones.answers[name] = [SendResult(name, State.RETRY, "busy", retry_after=60)]
    await life.work()
    await life.person(opted_out=True)
    await life.cancel(off)
    await life.route([record])
    assert life.end(out, "push") is None, "between two attempts: who tries again says how it ended"
    await life.person(opted_out=False)
    await life.pass_time(minutes=3)
    assert [life.end(out, c) for c in ("inapp", "push", "sms")] == [GONE_OUT] * 3
    assert [life.end(off, c) for c in ("inapp", "push", "email")] == [GONE_OUT] * 3
    await life.over()


async def test_what_was_sent_before_a_crash_is_not_put_off_into_quiet_hours_as_well(
    life: Life,
) -> None:
    """They begin between the two readings, and last longer than a sender remembers."""
    asked = life.ask(channels=(Channel.PUSH, Channel.SMS), data={"body": "x"})
    record = await life.routed(asked)
    await life.dispatch[BY_CHANNEL["push", "normal"]](life.tape.take(BY_CHANNEL["push", "normal"]))
    await life.person(quiet_hours=life.quiet(hours=10))
    await life.route([record])
    assert await life.waiting() == {f"{asked.notification_id}:sms"}
    life.tape.take(BY_CHANNEL["sms", "normal"])
    await life.redis.delete(keys.claim(f"{asked.notification_id}:push"))
    await life.pass_time(hours=10)
    assert sorted(life.phones.got()) == sorted(on(asked, "push", "sms"))
    await life.over()
