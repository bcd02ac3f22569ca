"""<tocsin-inbox> in Chromium, on the real API, a real shard and a network that can be cut: what
comes, on every device, whatever happens to the line."""

# ruff: noqa: F401, F811  fixtures are imported and then used by name

import asyncio
from datetime import datetime

import pytest
from playwright.async_api import expect

from tests.browser.inbox_page import (
    CHROMIUM,
    MS,
    Inboxes,
    address,
    api_settings,
    inboxes,
    live,
    looked_at,
    shoot,
    until,
    wire,
)
from tests.browser.inbox_shown import ITEMS, Shown, held
from tests.integration.conftest import (
    kafka_url,
    redis,
    redis_url,
    store_settings,
)
from tocsin.store import keys

pytestmark = [
    pytest.mark.any_broker,
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

expect.set_options(timeout=MS)


async def test_a_delivery_rings_and_is_in_the_list(inboxes: Inboxes) -> None:
    await inboxes.deliver(*ITEMS)
    async with inboxes.context(viewport={"width": 1120, "height": 760}) as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await expect(shown.badge).to_have_text("6")
        await live(page)
        await looked_at(page, False)
        await inboxes.deliver(
            {"title": "The oak stool is back", "body": "Four came in.", "type": "BACK_IN_STOCK"}
        )
        await expect(shown.toasts).to_have_count(1)
        await expect(shown.toasts).to_contain_text("The oak stool is back")
        await expect(shown.badge).to_have_text("7")
        said = shown.host.locator("[aria-live=polite]")
        await expect(said).to_contain_text("The oak stool is back. Four came in.. 7 unread")
        await expect(shown.bell).to_have_attribute("aria-label", "Notifications, 7 unread")
        await inboxes.deliver(
            {"title": "New sign-in", "body": "Lisbon. Was it you?", "priority": "critical"}
        )
        await expect(shown.toasts).to_have_count(2)
        await shoot(page, "toasts-light")
        await looked_at(page, True)
        await expect(shown.toasts).to_have_count(1)  # the other has had its time
        await expect(shown.toasts).to_contain_text("New sign-in")

        await shown.open()
        await expect(shown.toasts).to_have_count(1)
        await expect(shown.toasts).to_be_hidden()
        await expect(shown.items).to_have_count(8)
        await expect(shown.titles.first).to_have_text("New sign-in")
        await expect(shown.item("Your parcel").locator("time")).to_contain_text("min. ago")
        when = await shown.item("Your parcel").locator("time").get_attribute("datetime")
        assert when is not None
        assert datetime.fromisoformat(when) == ITEMS[-1]["at"]
        await page.keyboard.press("Escape")
        await expect(shown.toasts).to_be_visible()  # the critical one waits for its person
        await shown.host.locator(".toast .icon-button").click()
        await expect(shown.toasts).to_have_count(0)


async def test_two_devices_are_in_step(inboxes: Inboxes) -> None:
    await inboxes.deliver(*ITEMS)
    async with inboxes.context() as one, inboxes.context() as two:
        here, there = Shown(await inboxes.page(one)), Shown(await inboxes.page(two))
        for shown in (here, there):
            await live(shown.page)
            await shown.open()
            await expect(shown.unread).to_have_count(6)
        await here.act("Your parcel", "Mark as read")
        await expect(there.unread).to_have_count(5)
        await expect(there.badge).to_have_text("5")
        await there.act("Your parcel", "Mark as unread")
        await expect(here.unread).to_have_count(6)
        await expect(here.badge).to_have_text("6")
        await here.act("The November letter", "Delete")
        await expect(there.items).to_have_count(5)
        await expect(there.badge).to_have_text("5")

        await there.host.get_by_role("button", name="Unread 5", exact=True).click()
        await expect(there.items).to_have_count(5)
        await here.act("How is your linen", "Mark as read")
        await expect(there.items).to_have_count(4)
        await here.host.get_by_role("button", name="Mark all as read").click()
        await expect(here.badge).to_be_hidden()
        await expect(there.badge).to_be_hidden()
        await expect(there.host.get_by_text("Nothing unread")).to_be_visible()
        await here.act("Your parcel", "Mark as unread")
        await expect(there.titles).to_have_text(["Your parcel is on its way"])


async def test_a_read_toast_goes_on_the_other_device(inboxes: Inboxes) -> None:
    async with inboxes.context() as one, inboxes.context() as two:
        here, there = Shown(await inboxes.page(one)), Shown(await inboxes.page(two))
        await live(here.page)
        await live(there.page)
        await inboxes.deliver({"title": "Security", "body": "Code", "priority": "critical"})
        await expect(here.toasts).to_have_count(1)
        await expect(there.toasts).to_have_count(1)
        await here.toasts.click()
        await expect(here.toasts).to_have_count(0)
        await expect(there.toasts).to_have_count(0)
        await expect(there.badge).to_be_hidden()


async def test_ten_seconds_offline_leave_no_gap(inboxes: Inboxes) -> None:
    """The one test that takes its real time."""
    first = await inboxes.deliver(*ITEMS)
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await page.evaluate(
            """() => {
                globalThis.heard = [];
                const { client } = document.querySelector("tocsin-inbox");
                client.addEventListener("notification", ({ detail }) =>
                    heard.push(detail.notification.notification_id));
                client.addEventListener("reset", ({ detail }) => heard.push(detail.reason));
            }"""
        )
        await context.set_offline(True)
        inboxes.line.cut()
        await until(page, "document.querySelector('tocsin-inbox').client.state === 'offline'")
        missed: list[str] = []
        for number in range(10):
            missed += await inboxes.deliver({"title": f"Missed {number}", "body": "b"})
            await asyncio.sleep(1)
        assert await page.evaluate("heard") == []
        await shown.open()
        await expect(shown.banner).to_contain_text("You’re offline")
        await shoot(page, "offline")
        await shown.bell.click()

        inboxes.line.mend()
        await context.set_offline(False)
        await live(page)
        missed += await inboxes.deliver({"title": "After it", "body": "b"})
        await until(page, f"heard.includes('{missed[-1]}')")
        heard = await page.evaluate("heard")
        assert heard == ["resumed", *missed]
        await expect(shown.badge).to_have_text("17")
        await shown.open()
        await expect(shown.items).to_have_count(17)
        assert sorted(await held(page)) == sorted(first + missed)
        titles = await shown.titles.all_text_contents()
        assert titles[:11] == ["After it", *(f"Missed {n}" for n in reversed(range(10)))]
        assert len(set(titles)) == 17


async def test_a_torn_line_and_a_restarted_shard_are_survived(inboxes: Inboxes) -> None:
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await page.evaluate(
            """() => {
                globalThis.lives = 0;
                document.querySelector("tocsin-inbox").addEventListener("tocsin-state",
                    ({ detail }) => detail.state === "live" && lives++);
            }"""
        )
        inboxes.line.tear()
        sent = await inboxes.deliver({"title": "Torn", "body": "b"})
        await until(page, "lives > 0")
        await live(page)
        before = await page.evaluate("lives")
        await inboxes.restart_shard()
        sent += await inboxes.deliver({"title": "After a restart", "body": "b"})
        await until(page, f"lives > {before}")
        await expect(shown.badge).to_have_text("2")
        await shown.open()
        await expect(shown.titles).to_have_text(["After a restart", "Torn"])
        assert await held(page) == sent[::-1]


async def test_a_gap_that_cannot_be_filled_loads_the_list_anew(
    inboxes: Inboxes,
) -> None:
    await inboxes.deliver({"title": "Before", "body": "b"})
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await shown.open()
        await expect(shown.titles).to_have_text(["Before"])
        inboxes.line.cut()
        await until(page, "document.querySelector('tocsin-inbox').client.state !== 'live'")
        await inboxes.redis.flushall()
        await inboxes.redis.set(keys.STORE_READY, "a test")
        await inboxes.deliver({"title": "In a new life", "body": "b"}, {"title": "Two", "body": ""})
        inboxes.line.mend()
        await expect(shown.titles).to_have_text(["Two", "In a new life"])
        await expect(shown.badge).to_have_text("2")


async def test_what_is_sold_out_corrects_itself(inboxes: Inboxes) -> None:
    await inboxes.deliver(*ITEMS)
    async with inboxes.context(viewport={"width": 1120, "height": 760}) as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await shown.open()
        lamp = shown.item("The brass desk lamp")
        await expect(lamp.locator(".tag")).to_be_hidden()
        await inboxes.shelf("lamp", 0)
        await expect(lamp.locator(".tag")).to_have_text("Sold out again")
        await expect(shown.host.locator(".gone")).to_have_count(1)
        await shown.act("The November letter", "Mark as read")
        await shown.act("How is your linen", "Mark as read")
        await shown.act("Order 48213", "Mark as read")
        await shown.item("Your parcel").hover()
        await shoot(page, "sold-out")
        await inboxes.shelf("lamp", 3)
        await expect(lamp.locator(".tag")).to_be_hidden()
        await expect(shown.host.locator(".gone")).to_have_count(0)
