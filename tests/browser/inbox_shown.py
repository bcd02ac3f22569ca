"""What a person sees of an inbox in a page, and what there is in it."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from playwright.async_api import Locator, Page, expect

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
