"""<tocsin-inbox> in Chromium, on the real API, a real shard and a network that can be cut."""

# ruff: noqa: F401, F811  fixtures are imported and then used by name

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, Route, expect

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

NOW: Final = datetime.now(UTC)
ITEMS: Final[list[dict[str, Any]]] = [
    {"type": "NEWSLETTER", "title": "The November letter", "url": "/letters/11",
     "body": "Three makers, two kilns, and why we waited a year for the blue glaze.",
     "at": NOW - timedelta(days=12)},
    {"type": "REVIEW", "title": "How is your linen throw?", "url": "/reviews/new",
     "body": "Two lines help the next person decide.", "at": NOW - timedelta(days=3)},
    {"type": "SALE_OFFER", "title": "20 % off everything for the table", "url": "/offers/table",
     "body": "Until Sunday midnight, also on what is reduced already. It comes off in the basket.",
     "at": NOW - timedelta(hours=26)},
    {"type": "ORDER_CONFIRMATION", "title": "Order 48213 is confirmed", "url": "/orders/48213",
     "body": "Two cups and a carafe, £64.00. We pack it tomorrow.",
     "at": NOW - timedelta(hours=5)},
    {"type": "BACK_IN_STOCK", "title": "The brass desk lamp is back", "url": "/p/lamp",
     "body": "You asked us to tell you. Six came in this morning.", "sku": "lamp",
     "at": NOW - timedelta(minutes=42)},
    {"type": "ORDER_UPDATE", "title": "Your parcel is on its way", "url": "/orders/48213",
     "body": "It should be with you on Thursday between 9 and 12.",
     "at": NOW - timedelta(minutes=7)},
]  # fmt: skip
ARABIC: Final[list[dict[str, Any]]] = [
    {"type": "ORDER_CONFIRMATION", "title": "تم تأكيد طلبك 48213",
     "body": "كوبان وإبريق. سنجهّزه غدًا.", "at": NOW - timedelta(hours=5)},
    {"type": "BACK_IN_STOCK", "title": "عاد مصباح المكتب النحاسي", "sku": "lamp",
     "body": "طلبتَ أن نخبرك. وصلت ستة هذا الصباح.", "at": NOW - timedelta(minutes=42)},
    {"type": "ORDER_UPDATE", "title": "طردك في الطريق",
     "body": "سيصلك يوم الخميس بين التاسعة والثانية عشرة.", "at": NOW - timedelta(minutes=7)},
]  # fmt: skip


class Shown:
    """What a person sees of one inbox."""

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self.host = page.locator("tocsin-inbox").nth(index)
        self.bell = self.host.locator(".bell")
        self.badge = self.host.locator(".badge")
        self.panel = self.host.locator(".panel")
        self.items = self.host.locator(".item")
        self.titles = self.host.locator(".item .title")
        self.unread = self.host.locator(".item.unread")
        self.toasts = self.host.locator(".toasts .toast .open")
        self.banner = self.host.locator(".banner")

    def item(self, title: str) -> Locator:
        return self.items.filter(has_text=title)

    async def open(self) -> None:
        await self.bell.click()
        await expect(self.panel).to_be_visible()

    async def act(self, title: str, action: str) -> None:
        """Press one of the two buttons of an item."""
        await self.item(title).hover()
        await self.item(title).get_by_role("button", name=action, exact=True).click()


async def held(page: Page) -> list[str]:
    """The ids in the page's list, through the client, as the server tells them."""
    found: list[str] = await page.evaluate(
        "document.querySelector('tocsin-inbox').client.list({limit: 100})"
        ".then(page => page.items.map(item => item.notification.notification_id))"
    )
    return found


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


@pytest.mark.parametrize(
    ("name", "options", "attributes", "items"),
    [
        ("desktop-light", {"viewport": {"width": 1120, "height": 760}}, "", ITEMS),
        ("desktop-dark", {"viewport": {"width": 1120, "height": 760}, "color_scheme": "dark"},
         "", ITEMS),
        ("phone-dark", {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark",
                        "has_touch": True, "is_mobile": True, "device_scale_factor": 2},
         "", ITEMS),
        ("phone-arabic", {"viewport": {"width": 360, "height": 740}, "has_touch": True,
                          "is_mobile": True, "device_scale_factor": 2}, 'locale="ar"', ARABIC),
        ("desktop-arabic", {"viewport": {"width": 1120, "height": 760}}, 'locale="ar"', ARABIC),
    ],
)  # fmt: skip
async def test_it_looks_right(
    inboxes: Inboxes,
    name: str,
    options: dict[str, Any],
    attributes: str,
    items: list[dict[str, Any]],
) -> None:
    ids = await inboxes.deliver(*items)
    element = f'<tocsin-inbox {attributes} token="{inboxes.token()}"></tocsin-inbox>'
    async with inboxes.context(**options) as context:
        page = await inboxes.page(context, element)
        shown = Shown(page)
        await live(page)
        await page.evaluate(
            "ids => document.querySelector('tocsin-inbox').client.markRead(ids)", ids[:-2]
        )
        await expect(shown.badge).not_to_have_text(str(len(items)))
        await shown.open()
        await expect(shown.unread).to_have_count(2)
        await inboxes.shelf("lamp", 0)
        await expect(shown.host.locator(".gone")).to_have_count(1)
        width = options["viewport"]["width"]
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        box = await shown.panel.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        if width < 480:
            assert box["width"] == width
        await shoot(page, name)
