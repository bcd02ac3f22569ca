"""The index page in a real browser: it shows what the socket tells, and comes back by itself."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect
from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.integration.api.test_serve import environment, start
from tests.integration.conftest import free_port, wait_until
from tocsin.process import ready_file
from tocsin.settings import Settings
from tocsin.store.tickets import Tickets

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)

pytestmark = [
    pytest.mark.any_broker,
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

FRAME: dict[str, Any] = {
    "op": "live",
    "at": 1_795_000_000.0,
    "per_s": 48.0,
    "counters": {
        "push": {"accepted": 1_240, "delivered": 1_200, "failed": 3, "suppressed": 2},
        "sms": {"accepted": 10, "delivered": 10},
    },
    "feed": [
        {"type": "OTP", "channel": "sms", "state": "delivered", "provider": "twilio",
         "reason": "", "user": "<b>17</b>•••", "at": "2026-11-22T10:00:00Z"},
        {"type": "BACK_IN_STOCK", "channel": "push", "state": "failed", "provider": "apns",
         "reason": "Unregistered", "user": "12•••", "at": "2026-11-22T10:00:01Z"},
    ],
}  # fmt: skip


class Sockets:
    """Stands where the connection actors stand: admits by ticket, answers pings."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self.open: set[ServerConnection] = set()

    async def handle(self, socket: ServerConnection) -> None:
        hello = json.loads(await socket.recv())
        if await self._tickets.redeem(hello["ticket"]) != "audience:ops":
            await socket.close(4401)
            return
        self.open.add(socket)
        try:
            while True:
                if json.loads(await socket.recv())["op"] == "ping":
                    await socket.send('{"op":"pong"}')
        except ConnectionClosed:
            self.open.discard(socket)

    async def tell(self, frame: dict[str, Any]) -> None:
        for socket in tuple(self.open):
            await socket.send(json.dumps(frame))


@pytest.fixture
def ws_port() -> int:
    return free_port()


@pytest.fixture
async def sockets(redis: Redis, ws_port: int) -> AsyncIterator[Sockets]:
    made = Sockets(Tickets(redis))
    async with serve(made.handle, "127.0.0.1", ws_port):
        yield made


@pytest.fixture
def address(settings: Settings, ws_port: int) -> Iterator[str]:
    port = free_port()
    env = environment(settings, port) | {
        "TOCSIN_WS_PORT": str(ws_port),
        "TOCSIN_SANDBOX_URL": "http://127.0.0.1:8444",
        "TOCSIN_CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{free_port()}/tocsin",
    }
    with start(env, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: ready_file(settings.data_dir, "api").exists(), 60)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield await browser.new_page()
        await browser.close()


async def test_it_shows_what_is_told_and_comes_back_when_cut(
    page: Page, address: str, sockets: Sockets
) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(address)
    await expect(page.locator("#state")).to_have_text("live")

    await sockets.tell(FRAME)
    push = page.locator("[data-channel=push].channel")
    await expect(push.locator(".big")).to_have_text("1,200")
    await expect(push.locator("[data-of=flight]")).to_have_text("35")
    await expect(page.locator("#balance")).to_contain_text("1,250 accepted = 1,210 delivered")
    rows = page.locator(".row")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text("failed: Unregistered")
    await expect(rows.nth(1)).to_contain_text("One-time code")
    await expect(rows.nth(1).locator(".user")).to_have_text("<b>17</b>•••")

    for socket in tuple(sockets.open):
        await socket.close(1012)
    await expect(page.locator("#state")).not_to_have_text("live")
    await expect(page.locator("#state")).to_have_text("live", timeout=15_000)
    await sockets.tell(FRAME)
    await expect(push.locator(".big")).to_have_text("2,400")

    assert wrong == []
    assert {url for url in asked if not url.startswith(address)} == set()


async def test_pages_fit_a_phone(page: Page, address: str, sockets: Sockets) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/docs", "/"):
        await page.goto(address + path)
        await expect(page.locator("h1, h2").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await expect(page.locator("#state")).to_have_text("live")
    await sockets.tell(FRAME)
    await expect(page.locator(".row")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_reference_sends_requests(page: Page, address: str) -> None:
    await page.goto(address + "/docs")
    operation = page.locator("details", has=page.get_by_text("/healthz", exact=True))
    await operation.locator("summary").click()
    await operation.locator("button").click()
    await expect(operation.locator("output")).to_contain_text("200 in")
    await expect(operation.locator(".answer")).to_contain_text('"ok": true')
