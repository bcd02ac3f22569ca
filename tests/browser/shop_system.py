"""A whole system for a module of browser tests, and the people who use its shop."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.integration.conftest import free_port, wait_until

CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
ARTEFACTS: Final = Path(
    os.environ.get("TOCSIN_TEST_ARTEFACTS") or Path(__file__).parent / "artefacts"
)
START_SECONDS: Final = 240
MS: Final = 60_000.0
"""To fail rather than hang: everything from Kafka to Ray lies between a click and its effect."""


@contextmanager
def running_shop(directory: Path) -> Iterator[str]:
    """The address of the shop of a system that runs: `tocsin up` as anybody starts it."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    env |= {"TOCSIN_WS_PORT": str(free_port())}
    argv = [sys.executable, "-m", "tocsin.cli.main", "up", "--port", str(port)]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [*argv, "--data", str(directory / "data")], env=env, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _serving(process, directory / "log", url), START_SECONDS)
            yield f"{url}/shop"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(150)
            finally:
                process.kill()


def _serving(process: subprocess.Popen[bytes], log: Path, url: str) -> bool:
    assert process.poll() is None, log.read_text()
    return "serving" in log.read_text() and get(f"{url}/readyz") is not None


def get(url: str) -> Any:
    """JSON from an address; None when it does not answer well."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def post(url: str, body: Mapping[str, Any]) -> None:
    """JSON to an address."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=20).close()


_SEEN: Final = """
window.seen = new Set();
setInterval(() => {
  const toasts = document.querySelector("tocsin-inbox")?.shadowRoot?.querySelectorAll(".toast");
  for (const line of [...document.querySelectorAll(".said"), ...(toasts ?? [])])
    window.seen.add(line.textContent);
}, 50);
"""
"""What is shown for some seconds is noted: a busy machine may look too late."""


class Visitor:
    """Somebody with the shop open, in a browser context of their own."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.wrong: list[str] = []
        """Errors of the page's scripts."""
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.dialog = page.locator("#product")
        self.inbox = page.locator("tocsin-inbox")
        self.notes = page.locator("#handset .note")

    async def arrive(self, anchor: str = "") -> None:
        """Until the page shows the stock of everything."""
        await self.page.goto(self.url + anchor)
        await expect(self.page.locator("#state")).to_have_text("live stock")
        await expect(self.page.locator(".product")).to_have_count(48)
        await expect(self.page.locator(".product[data-state=unknown]")).to_have_count(0)

    def card(self, sku: str) -> Locator:
        return self.page.locator(f'.product[data-sku="{sku}"]')

    def stock(self, sku: str) -> Locator:
        return self.card(sku).locator(".stock")

    def shelf(self, sku: str) -> Locator:
        return self.page.locator(f'tr[data-sku="{sku}"]')

    async def log_in(self) -> None:
        """With the code off the drawn phone. The dialog is open."""
        await self.page.get_by_role("button", name="Send me a code").click()
        note = self.page.locator("#login .note", has_text="is your")
        await expect(note).to_be_visible()
        await note.get_by_role("button", name="Use").click()
        await expect(self.page.locator("#me")).to_be_visible()
        await expect(self.page.locator("#login")).to_be_hidden()

    async def saw(self, words: str) -> None:
        """Wait until the page has said so in passing, be it that it is over by now."""
        end = asyncio.get_running_loop().time() + MS / 1_000
        while not any(words in said for said in await self.page.evaluate("[...window.seen]")):
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"never said: {words}")
            await asyncio.sleep(0.1)

    async def shoot(self, name: str) -> None:
        """Keep a picture, without what moves."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"shop-{name}.png", animations="disabled")

    async def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield made
        await made.close()


@asynccontextmanager
async def visitor(
    browser: Browser, url: str, anchor: str = "", **how: Any
) -> AsyncIterator[Visitor]:
    """A visitor who has arrived; nothing may have gone wrong on their page when they leave."""
    context = await browser.new_context(**({"viewport": {"width": 1200, "height": 760}} | how))
    context.set_default_timeout(MS)
    await context.add_init_script(_SEEN)
    made = Visitor(await context.new_page(), url)
    await made.arrive(anchor)
    yield made
    await context.close()
    assert made.wrong == []
