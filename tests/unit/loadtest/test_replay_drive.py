"""Driving a system: everything arrives once, in an order that holds, whatever the trouble."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loadtest.replay import logins
from loadtest.replay.bodies import Bodies
from loadtest.replay.calls import Api
from loadtest.replay.drive import Driver
from loadtest.replay.events import Login, Order, Stock
from loadtest.replay.logins import Logins
from loadtest.replay.pace import Pace
from loadtest.replay.phones import Phones
from loadtest.replay.sales import Row, read
from loadtest.replay.shop import timeline
from loadtest.replay.tally import Tally
from tests.unit.loadtest.fake_tocsin import FakeTocsin
from tests.unit.loadtest.test_shop import SAMPLE, row
from tocsin.errors import EngineUnavailable, Refused
from tocsin.records import InventoryChange


@dataclass
class Rig:
    """A driver, what it drives, and its brake."""

    tocsin: FakeTocsin
    driver: Driver
    stop: asyncio.Event

    async def run(self, rows: list[Row], speed: float = 0) -> Tally:
        await self.driver.run(timeline(rows), Pace(speed), self.stop)
        return self.driver.tally


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    tocsin, stop = FakeTocsin(), asyncio.Event()
    async with tocsin.client() as client:
        api = Api(client, "http://tocsin.test", lambda: "token", stop, patience=0.5)
        phones = Phones(client, "http://sandbox.test", stop)
        bodies = Bodies("edition", 1_700_000_000)
        driver = Driver(api, tocsin, Logins(api, phones, stop), bodies)  # type: ignore[arg-type]
        yield Rig(tocsin, driver, stop)


async def test_the_sample_arrives_whole_and_in_order(rig: Rig) -> None:
    rows = read(SAMPLE).rows
    tally = await rig.run(rows)
    whole = Tally.of(timeline(rows)).report(2_000, 0, 0)
    assert tally.report(2_000, 0, 0) == whole | {"verified_otps": 721}
    tocsin = rig.tocsin
    assert len(tocsin.taken("subscriptions")) == 880
    assert len({item["subscription_id"] for item in tocsin.taken("subscriptions")}) == 880
    assert len({item["notification_id"] for item in tocsin.taken("notifications")}) == 791
    assert len({change.event_id for change in tocsin.taken("stock")}) == 2_140
    assert rig.driver.rows == 2_000


async def test_a_sign_up_is_stored_before_the_restock_that_must_fire_it(rig: Rig) -> None:
    await rig.run([row(quantity=60), row("10002", hours=30)])
    goods = [
        what.available if isinstance(what, InventoryChange) else "sign-up"
        for kind, what in rig.tocsin.journal
        if kind in ("stock", "subscriptions")
        and "10001" in (getattr(what, "sku", None) or what["sku"])
    ]
    assert goods == ["sign-up", 0, 50]


async def test_a_customer_logs_in_before_the_order_is_confirmed(rig: Rig) -> None:
    await rig.run([row()])
    kinds = [kind for kind, _ in rig.tocsin.journal if kind != "stock"]
    assert kinds == ["users", "otp", "verified", "notifications"]


async def test_a_customers_next_log_in_waits_for_the_verification_of_the_last(rig: Rig) -> None:
    tally = await rig.run([row(invoice=str(day), hours=24 * day) for day in range(5)])
    assert tally.counts["verified_otps"] == 5
    log_ins = [kind for kind, _ in rig.tocsin.journal if kind in ("otp", "verified")]
    assert log_ins == ["otp", "verified"] * 5


async def test_sent_again_it_has_the_same_ids(rig: Rig) -> None:
    rows = [row(quantity=60), row(invoice="C2", hours=30)]
    await rig.run(rows)
    first = {kind: rig.tocsin.taken(kind) for kind in ("subscriptions", "notifications", "stock")}
    rig.tocsin.journal.clear()
    await rig.run(rows)
    for kind, items in first.items():
        assert rig.tocsin.taken(kind) == items


async def test_a_customer_known_from_an_earlier_replay_is_no_refusal(rig: Rig) -> None:
    await rig.run([row()])
    assert (await rig.run([row()])).counts["refused"] == 0


async def test_a_busy_api_is_asked_again(rig: Rig) -> None:
    rig.tocsin.trouble = [429, 503, 502]
    tally = await rig.run([row()])
    assert tally.counts["ORDER_CONFIRMATION"] == 1


async def test_a_lost_answer_to_a_batch_is_asked_for_again(rig: Rig) -> None:
    rig.tocsin.trouble = ["lost"]
    tally = await rig.run([row()])
    assert (tally.counts["customers"], tally.counts["refused"]) == (1, 0)


async def test_a_lost_answer_to_a_log_in_asks_for_no_second_code(rig: Rig) -> None:
    rig.tocsin.users["7"] = {}
    rig.tocsin.trouble = [429, "lost"]
    await rig.driver._log_in(next(e for e in timeline([row()]) if isinstance(e, Login)))
    assert rig.tocsin.taken("otp") == ["7"]
    assert rig.driver.tally.counts == {"otps": 1, "verified_otps": 0}


async def test_a_customer_who_must_wait_for_long_is_passed_over_and_the_rest_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "_COOLDOWN", 600.0)
    monkeypatch.setattr(FakeTocsin, "retry_after", None)
    rig.tocsin._pending["7"] = "an old challenge"
    tally = await rig.run([row(), row(invoice="2", customer="8")])
    assert rig.driver.refused == ["no code for 7: 429: too soon"]
    assert (tally.counts["otps"], tally.counts["ORDER_CONFIRMATION"]) == (1, 2)


async def test_a_code_that_never_comes_holds_up_nothing_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "_SECONDS_FOR_SMS", 0.05)
    rig.tocsin.mute = True
    tally = await rig.run([row()])
    assert (tally.counts["otps"], tally.counts["verified_otps"]) == (1, 0)
    assert tally.counts["ORDER_CONFIRMATION"] == 1


async def test_refused_items_are_counted_with_the_reason_and_the_rest_goes_on(rig: Rig) -> None:
    real = rig.tocsin._item
    rig.tocsin._item = lambda name, item: (  # type: ignore[method-assign]
        {"status": 422, "detail": "no"} if item.get("sku") == "10001" else real(name, item)
    )
    tally = await rig.run([row(quantity=60), row("10002", 60)])
    assert (tally.counts["signups"], tally.counts["refused"]) == (1, 1)
    assert rig.driver.refused == ["/v1/subscriptions:batch?allow_unknown_sku=true, item 0: 422: no"]


async def test_refused_orders_are_counted_with_the_field_at_fault(rig: Rig) -> None:
    real = rig.tocsin._item
    rig.tocsin._item = lambda name, item: (  # type: ignore[method-assign]
        {"status": 422, "detail": "unknown"}
        if name == "notifications" and item["user_id"] == "7"
        else real(name, item)
    )
    some = await rig.run([row(), row(invoice="2", customer="8")])
    assert (some.counts["ORDER_CONFIRMATION"], some.counts["refused"]) == (1, 1)
    none = await rig.run([row(invoice="3")])
    assert (none.counts["ORDER_CONFIRMATION"], none.counts["refused"]) == (1, 2)
    assert rig.driver.refused == ["/v1/notifications:batch, item 0: user_id: unknown"] * 2


async def test_an_api_that_stays_away_ends_it_with_one_line(rig: Rig) -> None:
    rig.tocsin.trouble = [503] * 1_000
    with pytest.raises(EngineUnavailable, match=r"API does not answer at http://tocsin\.test"):
        await rig.run([row()])


async def test_a_refused_batch_ends_it_with_the_apis_reason(rig: Rig) -> None:
    rig.tocsin.trouble = [403]
    with pytest.raises(Refused, match="users:batch refused by the API: 403"):
        await rig.run([row()])


async def test_stopped_it_finishes_the_wave_and_sends_no_more(rig: Rig) -> None:
    rows = [row(invoice=str(n), customer=str(n)) for n in range(3_000)]
    rig.driver.seen = lambda: rig.stop.set() if rig.driver.rows else None
    tally = await rig.run(rows)
    assert rig.driver.rows == 1_000
    assert len(rig.tocsin.taken("notifications")) == tally.counts["ORDER_CONFIRMATION"] == 1_000
    assert len(rig.tocsin.taken("verified")) == 1_000


async def test_at_a_speed_what_is_not_due_is_not_sent(rig: Rig) -> None:
    rig.driver.seen = lambda: rig.stop.set() if rig.driver.rows else None
    await rig.run([row(), row(invoice="2", customer="8", hours=24)], speed=1)
    assert list(rig.tocsin.users) == ["7"]


def test_pace_counts_from_the_first_event() -> None:
    pace = Pace(speed=60)
    start = datetime(2010, 12, 1, 8, tzinfo=UTC)
    assert pace.due_in(start, now=100.0) == 0
    assert pace.due_in(start.replace(minute=2), now=100.5) == 1.5
    assert pace.due_in(start.replace(minute=1), now=109.0) == 0
    assert Pace(speed=0).due_in(start.replace(year=2020), now=0.0) == 0


def test_a_later_run_has_higher_versions_and_another_edition_other_ids() -> None:
    (event,) = timeline([row(customer=None)])
    old, new = Bodies("a", 1_700_000_000), Bodies("b", 1_700_000_001)
    assert isinstance(event, Stock)
    assert (old.change(event).version or 0) + 4_000_000 < (new.change(event).version or 0) < 2**53
    assert old.change(event).event_id != new.change(event).event_id


def test_an_order_says_what_its_message_needs() -> None:
    (order,) = [e for e in timeline([row(quantity=6), row("POST")]) if isinstance(e, Order)]
    body = Bodies("a", 1_700_000_000).order(order)
    assert body["type"] == "ORDER_CONFIRMATION"
    assert body["priority"] == "high"
    assert Decimal(body["data"].pop("total")) == Decimal("17.50")
    assert body["data"].pop("name")
    assert body["data"] == {"order": "1", "items": 6, "currency": "GBP", "country": "France"}
