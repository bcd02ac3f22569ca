"""<tocsin-inbox> in Chromium: what is clicked, typed and refused, and the pages it is in."""

# ruff: noqa: F401, F811  fixtures are imported and then used by name

import pytest
from playwright.async_api import Route, expect

from tests.browser.inbox_page import (
    CHROMIUM,
    ELSEWHERE,
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
from tests.browser.inbox_shown import ITEMS, Shown
from tests.integration.conftest import (
    kafka_url,
    redis,
    redis_url,
    store_settings,
)

pytestmark = [
    pytest.mark.any_broker,
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

expect.set_options(timeout=MS)


async def test_words_that_look_like_code_do_nothing(inboxes: Inboxes) -> None:
    evil = "<img src=x onerror=hacked()><script>hacked()</script>"
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await looked_at(page, False)
        await page.evaluate("void (globalThis.hacked = () => { globalThis.wasHacked = true })")
        await inboxes.deliver(
            {"title": evil, "body": evil, "url": "javascript:hacked()", "priority": "critical"},
            {"title": "Second", "body": "b", "url": "java\tscript:hacked()"},
            {"title": "Data", "body": "b", "url": "data:text/html,<script>hacked()</script>"},
        )
        await expect(shown.toasts).to_have_count(3)
        await shown.open()
        await expect(shown.titles).to_have_text(["Data", "Second", evil])
        assert await shown.host.locator("a").count() == 0
        assert await shown.host.locator("img, script").count() == 0
        for title in ("Data", "Second", "onerror"):
            await shown.item(title).locator(".open").click()
        await expect(shown.badge).to_be_hidden()
        assert page.url == f"{inboxes.address}/try/shop"
        assert await page.evaluate("globalThis.wasHacked") is None


async def test_a_click_reads_and_follows_unless_the_page_says_no(
    inboxes: Inboxes,
) -> None:
    await inboxes.deliver(*ITEMS)
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await page.evaluate(
            """() => {
                globalThis.opened = [];
                const no = (event) => { event.preventDefault(); opened.push(event.detail.url); };
                document.addEventListener("tocsin-open", no, { once: true });
            }"""
        )
        await shown.open()
        await shown.item("Your parcel").locator(".open").click()
        await expect(shown.badge).to_have_text("5")
        assert await page.evaluate("opened") == [f"{inboxes.address}/orders/48213"]
        assert page.url == f"{inboxes.address}/try/shop"

        await page.route("**/offers/table", lambda route: route.fulfill(body="Offers"))
        await shown.item("20 % off").locator(".open").click()
        await page.wait_for_url("**/offers/table")
        assert page.url == f"{inboxes.address}/offers/table"
        # it was marked although the click left the page
        other = Shown(await inboxes.page(context))
        await expect(other.badge).to_have_text("4")


async def test_a_counted_link_is_followed_in_the_place_of_the_address_and_asked_for_beside_it(
    inboxes: Inboxes,
) -> None:
    """By whoever goes there; where the page goes itself, the request alone counts the click."""
    await inboxes.deliver(
        {"title": "Lamp", "url": "/p/lamp", "link": f"{inboxes.address}/c/lamp"},
        {"title": "Throw", "url": "/p/throw", "link": f"{inboxes.address}/c/throw"},
    )
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        asked: list[str] = []

        async def counted(route: Route) -> None:
            asked.append(route.request.url.rpartition("/")[2])
            await route.fulfill(body="here")

        await page.route("**/c/*", counted)
        shown = Shown(page)
        await live(page)
        await page.evaluate(
            """() => {
                globalThis.opened = [];
                const no = (event) => { event.preventDefault(); opened.push(event.detail.url); };
                document.addEventListener("tocsin-open", no, { once: true });
            }"""
        )
        await shown.open()
        async with page.expect_request("**/c/lamp"):
            await shown.item("Lamp").locator(".open").click()
        assert await page.evaluate("opened") == [f"{inboxes.address}/p/lamp"]
        assert page.url == f"{inboxes.address}/try/shop"
        await shown.item("Throw").locator(".open").click()
        await page.wait_for_url("**/c/throw")
        assert asked == ["lamp", "throw"]


async def test_the_whole_walk_by_keyboard(inboxes: Inboxes) -> None:
    await inboxes.deliver(*({"title": f"Item {n}", "body": "b"} for n in range(30)))
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        press = page.keyboard.press
        await press("Tab")
        await expect(shown.bell).to_be_focused()
        await press("Enter")
        await expect(shown.panel).to_be_focused()
        await expect(shown.bell).to_have_attribute("aria-expanded", "true")
        await expect(shown.items.nth(19)).to_be_attached()
        await press("ArrowDown")
        await expect(shown.item("Item 29").locator(".open")).to_be_focused()
        await press("ArrowDown")
        await press("ArrowDown")
        await press("ArrowUp")
        await expect(shown.item("Item 28").locator(".open")).to_be_focused()
        await press("Tab")
        await press("Enter")  # the first of its buttons
        await expect(shown.badge).to_have_text("29")
        await press("End")
        await expect(shown.items).to_have_count(30)  # the end came into sight: the rest is fetched
        await press("End")
        await expect(shown.item("Item 0").locator(".open")).to_be_focused()
        await press("Delete")
        await expect(shown.items).to_have_count(29)
        await expect(shown.items.last.locator(".open")).to_be_focused()
        await press("Home")
        await expect(shown.item("Item 29").locator(".open")).to_be_focused()
        await press("Enter")
        await expect(shown.badge).to_have_text("27")
        await press("Escape")
        await expect(shown.panel).to_be_hidden()
        await expect(shown.bell).to_be_focused()
        await press("Space")
        await expect(shown.panel).to_be_visible()
        await page.mouse.click(5, 400)
        await expect(shown.panel).to_be_hidden()


async def test_two_on_one_page_share_nothing_that_breaks(inboxes: Inboxes) -> None:
    await inboxes.deliver(*ITEMS)
    await inboxes.deliver({"title": "For the other", "body": "b"}, user="u2")
    elements = (
        f'<tocsin-inbox types="BACK_IN_STOCK,REVIEW" token="{inboxes.token()}"></tocsin-inbox>'
        f'<tocsin-inbox locale="de" theme="dark" token="{inboxes.token("u2")}"></tocsin-inbox>'
    )
    async with inboxes.context() as context:
        page = await inboxes.page(context, elements)
        left, right = Shown(page), Shown(page, 1)
        await live(page)
        await expect(left.badge).to_have_text("2")
        await expect(right.badge).to_have_text("1")
        await left.open()
        await expect(left.items).to_have_count(2)
        await right.open()
        await expect(left.panel).to_be_hidden()
        await expect(right.host.locator("h2")).to_have_text("Mitteilungen")
        await right.host.get_by_role("button", name="Alle als gelesen markieren").click()
        await expect(right.badge).to_be_hidden()
        await expect(left.badge).to_have_text("2")
        await left.open()
        await left.host.get_by_role("button", name="Mark all as read").click()
        await expect(left.badge).to_be_hidden()
        # only what this one shows became read
        unread = "document.querySelector('tocsin-inbox').client.list({status: 'unread', types: []})"
        await until(page, f"{unread}.then(page => page.items.length === 4)")


async def test_states_without_an_inbox_say_what_to_do(inboxes: Inboxes) -> None:
    async with inboxes.context() as context:
        page = await inboxes.page(context, "<tocsin-inbox></tocsin-inbox>")
        shown = Shown(page)
        await shown.open()
        await expect(shown.host.get_by_text("Please sign in")).to_be_visible()
        # a token that has expired, then a good one
        tokens = [inboxes.token(seconds=-60), inboxes.token()]
        await page.evaluate(
            """tokens => {
                globalThis.asked = 0;
                document.querySelector("tocsin-inbox").getToken = async () => tokens[asked++];
            }""",
            tokens,
        )
        await live(page)
        assert await page.evaluate("asked") == 2
        await expect(shown.host.get_by_text("You’re all caught up")).to_be_visible()
        await shoot(page, "empty")
        await page.evaluate(
            "token => { const inbox = document.querySelector('tocsin-inbox');"
            " inbox.getToken = null; inbox.setAttribute('token', token) }",
            inboxes.token(seconds=-60),
        )
        await expect(shown.host.locator(".state.bad")).to_contain_text("Please sign in")
        await inboxes.deliver({"title": "Here", "body": "b"})
        await page.route("**/v1/inbox?*", lambda route: route.abort())
        await page.evaluate(
            "token => document.querySelector('tocsin-inbox').setAttribute('token', token)",
            inboxes.token(),
        )
        await live(page)  # being connected, it asked a second time
        await expect(shown.host.locator(".state.bad")).to_contain_text("could not be loaded")
        await page.unroute("**/v1/inbox?*")
        await shown.host.locator(".state .button").click()
        await expect(shown.titles).to_have_text(["Here"])


async def test_what_cannot_be_kept_is_taken_back(inboxes: Inboxes) -> None:
    await inboxes.deliver(*ITEMS)
    async with inboxes.context() as context:
        page = await inboxes.page(context)
        shown = Shown(page)
        await live(page)
        await shown.open()
        await page.route("**/v1/inbox:*", lambda route: route.fulfill(status=503))
        await shown.act("Your parcel", "Delete")
        await expect(shown.banner).to_contain_text("could not be saved")
        await expect(shown.items).to_have_count(6)
        await expect(shown.badge).to_have_text("6")


async def test_a_shop_on_another_origin_has_it_all(inboxes: Inboxes) -> None:
    await inboxes.deliver(*ITEMS)
    text = (
        f'<script type="module" src="{inboxes.address}/web/tocsin-inbox.js"></script>'
        f'<tocsin-inbox api="{inboxes.address}" token="{inboxes.token()}"></tocsin-inbox>'
    )
    async with inboxes.context() as context:
        page = await context.new_page()
        await page.route(
            f"{ELSEWHERE}/", lambda route: route.fulfill(content_type="text/html", body=text)
        )
        await page.goto(f"{ELSEWHERE}/")
        shown = Shown(page)
        await live(page)
        await shown.open()
        await shown.act("Your parcel", "Mark as read")
        await until(
            page,
            "document.querySelector('tocsin-inbox').client.list({status: 'unread'})"
            ".then(page => page.unread === 5)",
        )
