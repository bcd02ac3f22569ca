"""The demo shop on a whole system: what a visitor sees from the log-in to the last one sold."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.shop_system import (
    CHROMIUM,
    MS,
    chromium,
    post,
    running_shop,
    visitor,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

expect.set_options(timeout=MS)

GONE, ALSO_GONE, FEW = "22111", "22178", "22086"
"""Sold out on the first day, another one, and one of which two are left."""


@pytest.fixture(scope="module")
def shop_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One system for all of these."""
    with running_shop(tmp_path_factory.mktemp("shop")) as url:
        yield url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def put_stock(url: str, sku: str, available: int) -> None:
    """As the shopkeeper does."""
    body = {"sku": sku, "event_id": uuid4().hex, "available": available}
    post(f"{url}/api/counter/stock", body)


async def test_who_waits_is_told_on_every_channel_when_the_shopkeeper_restocks(
    browser: Browser,
    shop_url: str,
) -> None:
    put_stock(shop_url, GONE, 0)
    async with visitor(browser, shop_url) as ada:
        await expect(ada.stock(GONE)).to_have_text("Sold out")
        await ada.shoot("light")
        await ada.card(GONE).get_by_role("button", name="Notify me").click()
        await ada.dialog.get_by_role("button", name="Notify me").click()
        await ada.log_in()
        await expect(ada.dialog.locator(".place")).to_have_text(
            "You are on the list (place 1 of 1)"
        )
        await ada.shoot("listed")
        await ada.dialog.get_by_role("button", name="Close").click()
        await expect(ada.card(GONE).locator(".act")).to_have_text("On the list · 1 of 1")
        await expect(ada.inbox.locator(".bell")).to_be_visible()

        async with visitor(browser, shop_url, "#counter", color_scheme="dark") as keeper:
            await expect(keeper.shelf(GONE).locator(".queue")).to_have_text("1 waiting")
            await keeper.shelf(GONE).locator(".queue").click()
            waiting = keeper.page.locator(".group .people li")
            await expect(waiting.locator(".who")).to_have_text(re.compile("sh•••"))
            await keeper.shelf(GONE).get_by_role("button", name="Restock").click()
            told = keeper.page.locator(".group[data-kind=told]")
            await expect(told.locator(".summary")).to_have_text("told")
            await expect(told.locator(".way[data-state=delivered]")).to_have_count(4)
            await expect(keeper.shelf(GONE).locator(".queue")).to_have_text("nobody")
            await keeper.shoot("counter-dark")

        await expect(ada.stock(GONE)).to_have_text("24 left")
        await expect(ada.inbox.locator(".badge")).to_have_text("1")
        note = ada.notes.filter(has_text="Scottie Dog Hot Water Bottle")
        await expect(note).to_have_count(3)
        assert sorted([await n.get_attribute("data-channel") or "" for n in await note.all()]) == [
            "email", "push", "sms",
        ]  # fmt: skip
        await ada.inbox.locator(".bell").click()
        item = ada.inbox.locator(".item")
        await expect(item).to_contain_text("Scottie Dog Hot Water Bottle is here again")
        await ada.shoot("told")
        async with ada.page.expect_request(re.compile("/c/[^/]+$")) as counted:
            await item.locator(".title").click()
        await expect(ada.dialog).to_be_visible()
        await expect(ada.dialog).to_have_attribute("data-sku", GONE)
        assert ada.page.url == shop_url, "the page follows the link itself, and it is counted"
        assert (await counted.value).url.startswith(shop_url.removesuffix("shop"))


async def test_a_toast_comes_and_a_place_can_be_given_up(
    browser: Browser,
    shop_url: str,
) -> None:
    put_stock(shop_url, ALSO_GONE, 0)
    async with visitor(browser, shop_url) as ada, visitor(browser, shop_url) as ben:
        await expect(ada.stock(ALSO_GONE)).to_have_text("Sold out")
        for who, place in ((ada, "place 1 of 1"), (ben, "place 2 of 2")):
            await who.card(ALSO_GONE).locator(".act").click()
            await who.dialog.get_by_role("button", name="Notify me").click()
            await who.log_in()
            await expect(who.dialog.locator(".place")).to_contain_text(place)
        await ada.dialog.get_by_role("button", name="Take me off the list").click()
        await expect(ada.dialog.get_by_role("button", name="Notify me")).to_be_visible()
        await expect(ben.dialog.locator(".place")).to_contain_text("place 1 of 1")
        await ben.dialog.get_by_role("button", name="Close").click()
        put_stock(shop_url, ALSO_GONE, 9)
        await ben.saw("Victorian Glass Hanging T-light is here again")
        await expect(ben.inbox.locator(".badge")).to_have_text("1")
        await expect(ada.dialog.get_by_role("button", name="Add to basket")).to_be_visible()
        await expect(ada.inbox.locator(".badge")).to_be_hidden()


async def test_the_last_one_sold_is_sold_out_for_everybody(
    browser: Browser,
    shop_url: str,
) -> None:
    put_stock(shop_url, FEW, 2)
    async with (
        visitor(browser, shop_url) as buyer,
        visitor(browser, shop_url, color_scheme="dark") as other,
    ):
        await expect(other.stock(FEW)).to_have_text("Only 2 left")
        await expect(buyer.stock(FEW)).to_have_text("Only 2 left")
        add = buyer.card(FEW).get_by_role("button", name="Add to basket")
        for count in ("1", "2"):
            await add.click()
            await expect(buyer.page.locator("#basket-open .count")).to_have_text(count)
        await add.click()
        await buyer.saw("only 2 left")
        await buyer.page.locator("#basket-open").click()
        await buyer.page.get_by_role("button", name="Log in and buy").click()
        await buyer.log_in()
        await buyer.saw("is placed. The confirmation is on its way.")
        await expect(buyer.page.locator("#basket")).to_be_hidden()
        await expect(other.stock(FEW)).to_have_text("Sold out")
        await expect(other.card(FEW).locator(".act")).to_have_text("Notify me")
        await expect(buyer.notes.filter(has_text="Your order")).to_have_count(1)
        await expect(buyer.inbox.locator(".badge")).to_have_text("1")
        await other.shoot("dark")


async def test_a_wrong_code_is_told_and_the_right_one_works_after_it(
    browser: Browser,
    shop_url: str,
) -> None:
    async with visitor(browser, shop_url) as ada:
        await ada.page.get_by_role("button", name="Log in").click()
        number = ada.page.locator("#login-number")
        await number.fill("+447911123456")
        await ada.page.get_by_role("button", name="Send me a code").click()
        await expect(ada.page.locator("#login-problem")).to_contain_text("its own numbers only")
        await number.fill("07700 9" + str(uuid4().int)[:5])
        await ada.page.get_by_role("button", name="Send me a code").click()
        note = ada.page.locator("#login .note")
        await expect(note).to_have_count(1)
        await ada.shoot("log-in")
        code = re.search(r"\d{6}", await note.inner_text())
        assert code is not None
        wrong = f"{(int(code[0]) + 1) % 10**6:06d}"
        await ada.page.locator("#login-code").fill(wrong)
        await expect(ada.page.locator("#login-problem")).to_contain_text("not the code")
        await ada.page.locator("#login-code").fill(code[0])
        await expect(ada.page.locator("#me")).to_be_visible()
        await ada.page.reload()
        await expect(ada.page.locator("#me")).to_be_visible()
        await expect(ada.notes).to_have_count(1)


async def test_admins_are_told_and_seen(browser: Browser, shop_url: str) -> None:
    async with visitor(browser, shop_url, "#counter") as ada:
        panel = ada.page.locator(".admins")
        await panel.get_by_role("button", name="Join them").click()
        await ada.log_in()
        await expect(panel.get_by_role("button", name="Leave")).to_be_visible()
        await expect(panel.locator(".present")).to_contain_text("1 here now: sh•••")
        await panel.get_by_label("Words").fill("The heart came broken.")
        await panel.get_by_role("button", name="Tell the admins").click()
        await ada.saw("The heart came broken.")
        await expect(ada.inbox.locator(".badge")).to_have_text("1")
        await ada.shoot("admins")


async def test_it_fits_a_phone_and_is_used_by_keyboard(
    browser: Browser,
    shop_url: str,
) -> None:
    how: dict[str, Any] = {
        "viewport": {"width": 360, "height": 740},
        "has_touch": True,
        "is_mobile": True,
    }
    async with visitor(browser, shop_url, **how) as ada:
        assert await ada.fits()
        await ada.shoot("phone")
        await ada.page.locator("#query").fill("cake stand")
        await expect(ada.page.locator(".product:visible")).to_have_count(1)
        await _press_on(ada.page, ".product:visible .look", "Enter")
        await expect(ada.dialog).to_be_visible()
        await ada.shoot("phone-product")
        await ada.page.keyboard.press("Escape")
        await expect(ada.dialog).to_be_hidden()
        await _press_on(ada.page, "#tab-floor", "ArrowRight")
        await expect(ada.page.locator("#counter h1")).to_be_visible()
        await expect(ada.page.locator("#tab-counter")).to_be_focused()
        assert await ada.fits()
        await ada.shoot("phone-counter")


async def _press_on(page: Page, selector: str, key: str) -> None:
    await page.locator(selector).focus()
    await page.keyboard.press(key)
