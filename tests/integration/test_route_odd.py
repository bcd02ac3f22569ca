"""Routing what is seldom seen: odd zones and hours, strange letters, a megabyte, a bug, a sale."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from streams.decide import decide
from tests.integration.living import Life
from tocsin.ids import derived_id, new_id
from tocsin.kafka import start_producer
from tocsin.records import (
    Channel,
    Engagement,
    State,
    decode,
)
from tocsin.settings import Settings
from tocsin.store.clicks import Clicks, Message
from tocsin.topics import BY_CHANNEL, ENGAGEMENT

pytestmark = pytest.mark.integration
GONE_OUT = (State.DELIVERED, "")


@pytest.fixture
async def life(settings: Settings, redis: Redis) -> AsyncIterator[Life]:
    producer = await start_producer(settings)
    made = Life(settings, redis, producer)
    await made.person()
    yield made
    await producer.stop()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "\x00", "Europe"])
async def test_a_zone_that_does_not_exist_is_utc(life: Life, zone: str) -> None:
    await life.person(quiet_hours=life.quiet(), timezone=zone)
    asked = life.ask()
    await life.routed(asked)
    assert {o.state for o in life.tape.outcomes()} == {State.ACCEPTED, State.DEFERRED}
    assert len(life.tape.waiting()) == 1
    await life.pass_time(hours=3)
    assert life.end(asked, "push") == GONE_OUT
    await life.over()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # 02:30 does not exist on that night: the offset before the gap
        ("2026-03-29T00:45:00", "2026-03-29T01:30:00"),
        # 02:30 comes twice: the first
        ("2026-10-24T23:45:00", "2026-10-25T00:30:00"),
    ],
)
async def test_quiet_hours_end_once_where_clocks_change(life: Life, now: str, due: str) -> None:
    at, until = (datetime.fromisoformat(x).replace(tzinfo=UTC) for x in (now, due))
    life.clock.advance(at - life.clock.now())
    quiet = life.quiet()
    await life.person(quiet_hours=type(quiet)("22:00", "02:30"), timezone="Europe/Berlin")
    asked = life.ask()
    await life.routed(asked)
    dues = {o.due_at for o in life.tape.outcomes() if o.state is State.DEFERRED}
    assert dues == {until}
    life.clock.advance(until - timedelta(seconds=1) - at)
    await life.pass_time(seconds=1)
    assert life.end(asked, "push") == GONE_OUT
    await life.over()


async def test_emoji_and_right_to_left_pass_through_unchanged(life: Life) -> None:
    data = {"title": "👩‍👩‍👧‍👦🕯️", "body": "مصباح \u202eabc\u202c שלום \x00\x1f é" + "👍🏽" * 500}
    asked = life.ask(data=data, channels=(Channel.PUSH,))
    await life.routed(asked)
    topic = BY_CHANNEL["push", "normal"]
    assert [d.data for d in life.tape.deliveries(topic)] == [data]


async def test_ten_thousand_variables_and_a_megabyte_are_carried_or_refused_alone(
    life: Life,
) -> None:
    many = {f"v{i}": i for i in range(10_000)} | {"body": "x"}
    large = {"body": "x" * 990_000}
    asked = [life.ask(data=data, channels=(Channel.SMS,)) for data in (many, large)]
    for request in asked:
        await life.routed(request)
    assert [d.data for d in life.tape.deliveries(BY_CHANNEL["sms", "normal"])] == [many, large]
    # numbers grow when they are written again: 5 bytes become 19
    grown = b'{"notification_id":"%b","user_id":"anna","type":"ALARM","channels":["sms"],' % (
        new_id().encode()
    )
    grown += b'"send_at":"%b",' % (life.clock.now() + timedelta(hours=1)).isoformat().encode()
    grown += b'"data":{"body":"x","n":[%b]}}' % b",".join([b"1e15"] * 199_000)
    await life.routed(grown)
    assert len(life.tape.waiting()) == 1
    await life.live_out()
    assert len(life.phones.got()) == 3
    await life.over()
    too_large = life.record(life.ask(data={"body": "x" * 1_000_001}))
    with pytest.raises(Exception, match="at most 1,000,000"):
        await life.route([too_large])


async def test_a_request_that_a_bug_cannot_decide_on_takes_nobody_along(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = life.ask(), life.ask()

    def broken(request: Any, *more: Any) -> Any:
        if request.notification_id == bad.notification_id:
            raise RuntimeError("a bug")
        return decide(request, *more)

    monkeypatch.setattr("streams.route.decide", broken)
    await life.routed(bad, good)
    await life.live_out()
    assert life.end(bad, "push") == (State.FAILED, "could not be routed")
    assert life.end(good, "push") == GONE_OUT
    assert [(x.error, x.reason) for x in life.tape.letters()] == [
        ("RuntimeError", "could not be processed")
    ]


async def test_an_order_of_somebody_who_followed_a_link_is_a_sale_of_that_message(
    life: Life,
) -> None:
    """However often the order is read: it is one event."""
    followed = Message("n1", "email", "SALE_OFFER")
    await Clicks(life.redis).remember("anna", life.clock.now() - timedelta(hours=1), followed)
    data = {"order": "536365", "total": "139.12", "currency": "GBP"}
    asked = [
        life.ask("ORDER_CONFIRMATION", user, data=data | {"order": f"{user}-1"})
        for user in ("anna", "ben")
    ]
    record = await life.routed(*asked)
    await life.route([record])
    events = [decode(Engagement, r.value) for r in life.tape.records[ENGAGEMENT.name]]
    assert {(e.kind, e.notification_id, e.user_id) for e in events} == {("convert", "n1", "anna")}
    assert {(e.event_id, e.reference, e.value, e.currency) for e in events} == {
        (derived_id("convert", "anna-1"), "anna-1", 139.12, "GBP")
    }
