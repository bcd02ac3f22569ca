"""A page with <tocsin-inbox> on the real API and a real shard, and a network that can be cut."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright
from redis.asyncio import Redis

from actors.message import Content
from actors.shard import ConnectionShard
from tests.integration.api.test_serve import environment, start
from tests.integration.conftest import free_port, wait_until
from tocsin.kafka import ensure_topics
from tocsin.process import ready_file
from tocsin.records import (
    Channel,
    Delivery,
    DeliveryBatch,
    InventoryChange,
    Priority,
    Profile,
    State,
    encode,
)
from tocsin.settings import Settings
from tocsin.store import Profiles, SendResult, Subscriptions
from tocsin.tokens import mint

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
SECONDS: Final = 60
"""To fail rather than hang."""

MS: Final = SECONDS * 1_000.0
ARTEFACTS: Final = Path(
    os.environ.get("TOCSIN_TEST_ARTEFACTS") or Path(__file__).parent / "artefacts"
)

ELSEWHERE: Final = "http://shop.example"
"""A shop's own origin, which the API knows."""

_answers: Final = msgspec.json.Decoder(list[SendResult])

SHOP: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/try/shop.css">
<script type="module" src="/web/tocsin-inbox.js"></script></head>
<body><header><b>Lantern &amp; Loom</b><nav>New in · Kitchen · Living</nav>ELEMENTS</header>
<main><h1>Things that stay</h1><p>Made slowly, in small numbers.</p>
<section><i></i><i></i><i></i><i></i><i></i><i></i></section></main></body></html>
"""
STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f6f4f0, #121317);
  color: light-dark(#1d1b18, #eceae6); }
header { display: flex; align-items: center; gap: 24px; padding: 12px 24px; overflow: hidden;
  background: light-dark(#fff, #1b1d23); border-bottom: 1px solid light-dark(#e5e1d8, #2a2d35); }
header nav { flex: 1; opacity: .6; white-space: nowrap; overflow: hidden; }
main { max-width: 980px; margin: 0 auto; padding: 32px 24px; }
section { display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px; }
section i { height: 190px; border-radius: 14px; background: light-dark(#e9e4da, #22252d); }
"""


class Line:
    """The network between browsers and the shards' port."""

    def __init__(self, port: int) -> None:
        self.target = 0
        self.whole = True
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    def cut(self) -> None:
        """Everything is torn off, and nothing gets through."""
        self.whole = False
        self.tear()

    def tear(self) -> None:
        """What is open is torn off; whoever comes anew gets through."""
        for writer in tuple(self._open):
            writer.transport.abort()

    def mend(self) -> None:
        self.whole = True

    async def close(self) -> None:
        self.cut()
        if self._server:
            self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # no shard there now
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def words(delivery: Delivery, profile: Profile) -> Content:
    """What the data says."""
    said = {name: str(delivery.data.get(name, "")) for name in ("title", "body", "url", "link")}
    link = said["link"] or said["url"]
    return Content(title=said["title"], body=said["body"], link=link, target=said["url"])


class Inboxes:
    """What a test does from behind: deliver, sell out, cut, look."""

    def __init__(
        self, settings: Settings, redis: Redis, line: Line, browser: Browser, address: str
    ) -> None:
        self.settings, self.redis, self.line = settings, redis, line
        self.browser, self.address = browser, address
        self.wrong: list[str] = []
        self._shard: ConnectionShard | None = None
        self._number = 0

    async def shard(self) -> ConnectionShard:
        if self._shard is None:
            made = ConnectionShard(
                self.settings.model_copy(update={"ws_port": 0}), "a", render=words
            )
            self.line.target = await made.start()
            self._shard = made
        return self._shard

    async def close(self) -> None:
        if self._shard:
            await self._shard.stop()

    async def restart_shard(self) -> None:
        """What a rolling update does: every socket is closed with 1012, a new shard takes over."""
        await self.close()
        self._shard = None
        await self.shard()

    async def deliver(self, *said: dict[str, Any], user: str = "u1") -> list[str]:
        """Notifications with these as data; `type`, `priority` and `at` say more. Their ids."""
        await Profiles(self.redis).put(Profile(user))
        deliveries = [self._delivery(user, dict(each)) for each in said]
        shard = await self.shard()
        done = _answers.decode(await shard.deliver(encode(DeliveryBatch(deliveries))))
        assert [each.state for each in done] == [State.DELIVERED] * len(said)
        return [each.notification_id for each in deliveries]

    def _delivery(self, user: str, said: dict[str, Any]) -> Delivery:
        self._number += 1
        kind = said.pop("type", "ORDER_UPDATE")
        return Delivery(
            notification_id=f"n{self._number:03}",
            user_id=user,
            channel=Channel.INAPP,
            type=kind,
            template_id=kind,
            priority=Priority(said.pop("priority", "normal")),
            accepted_at=said.pop("at", datetime.now(UTC)),
            category="transactional",
            data=said,
        )

    def token(self, user: str = "u1", seconds: int = 3_600) -> str:
        return mint(self.settings, subject=user, kind="user", scopes=frozenset(), seconds=seconds)

    @asynccontextmanager
    async def context(self, **options: Any) -> AsyncIterator[BrowserContext]:
        """A device of its own."""
        context = await self.browser.new_context(reduced_motion="reduce", **options)
        context.set_default_timeout(MS)
        try:
            yield context
        finally:
            await context.close()

    async def page(
        self, context: BrowserContext, elements: str | None = None, user: str = "u1"
    ) -> Page:
        """A page of a shop under the API's own policy, with these elements; it need not be live."""
        page = await context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self._console(said.text))
        policy = (await context.request.get(self.address)).headers["content-security-policy"]
        await self.shard()
        if elements is None:
            elements = f'<tocsin-inbox token="{self.token(user)}"></tocsin-inbox>'

        async def shop(route: Route) -> None:
            text = SHOP.replace("ELEMENTS", elements)
            headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
            await route.fulfill(body=text, headers=headers)

        async def style(route: Route) -> None:
            await route.fulfill(body=STYLE, content_type="text/css")

        await page.route("**/try/shop", shop)
        await page.route("**/try/shop.css", style)
        await page.goto(f"{self.address}/try/shop")
        return page

    def _console(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused" in text:
            self.wrong.append(text)

    async def shelf(self, sku: str, available: int) -> None:
        """What is left of a SKU, as a stock change of the shop's leaves it."""
        self._number += 1
        change = InventoryChange(
            event_id=f"e{self._number}", sku=sku, available=available, version=self._number,
            occurred_at=datetime.now(UTC),
        )  # fmt: skip
        subscriptions = Subscriptions(self.redis)
        await subscriptions.apply([change])
        await subscriptions.announce({sku: available})


async def live(page: Page) -> None:
    """Return once every inbox of the page is connected."""
    await until(page, "[...document.querySelectorAll('tocsin-inbox')]"
                      ".every(each => each.client?.state === 'live')")  # fmt: skip


async def looked_at(page: Page, visible: bool) -> None:
    """Have the page believe that somebody looks at it, or nobody: toasts wait for eyes."""
    await page.evaluate(
        """state => {
            const seen = { value: state, configurable: true };
            Object.defineProperty(document, "visibilityState", seen);
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        "visible" if visible else "hidden",
    )


async def until(page: Page, holds: str) -> None:
    """Return once this is so in the page. (Playwright's own way needs eval, which the page's policy
    forbids.)"""
    async with asyncio.timeout(SECONDS):
        while not await page.evaluate(holds):
            await asyncio.sleep(0.05)


async def shoot(page: Page, name: str) -> None:
    """Keep a picture, for people to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=ARTEFACTS / f"{name}.png")


@pytest.fixture(scope="module")
def wire() -> int:
    """The port at which browsers find the shards."""
    return free_port()


@pytest.fixture(scope="module")
def api_settings(
    redis_url: str, kafka_url: str, wire: int, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    made = Settings(
        redis_url=redis_url,
        kafka_url=kafka_url,
        data_dir=tmp_path_factory.mktemp("api"),
        otp_secret="test-pepper-0123456789abcdef",
        jwt_secret="test-jwt-secret-0123456789abcdef0123456789",
        ws_url=f"ws://127.0.0.1:{wire}",
        origins=ELSEWHERE,
    )
    asyncio.run(ensure_topics(made))
    return made


@pytest.fixture(scope="module")
def address(api_settings: Settings) -> Iterator[str]:
    """The API as a process."""
    port = free_port()
    env = environment(api_settings, port) | {
        "TOCSIN_WS_URL": api_settings.ws_url,
        "TOCSIN_ORIGINS": api_settings.origins,
    }
    with start(env, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: ready_file(api_settings.data_dir, "api").exists(), 60)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
async def inboxes(
    api_settings: Settings, redis: Redis, wire: int, address: str
) -> AsyncIterator[Inboxes]:
    """Everything up, nobody there. At the end nothing may have gone wrong in any page."""
    line = Line(wire)
    await line.lay()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                # the shop's page is made up here and comes from no address, so Chromium takes it
                # for a page of the internet that reaches for the local network
                "--disable-features=LocalNetworkAccessChecks",
            ],
        )
        made = Inboxes(api_settings, redis, line, browser, address)
        yield made
        await browser.close()
        await made.close()
    await line.close()
    assert made.wrong == []
