"""<tocsin-inbox> in Chromium, as it looks: wide and narrow, light and dark, from either side."""

# ruff: noqa: F401, F811  fixtures are imported and then used by name

from typing import Any

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
    shoot,
    wire,
)
from tests.browser.inbox_shown import ARABIC, ITEMS, Shown
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
