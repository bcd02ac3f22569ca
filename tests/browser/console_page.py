"""The console in Chromium, under the policy it is served with, on a Tocsin that is made up."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Browser, Page, Request, Route, WebSocketRoute

from api.app import create_app
from tests.browser import console_answers as answers
from tests.browser.shop_system import ARTEFACTS, MS
from tests.unit.api.asgi import Client
from tocsin.settings import Settings

ORIGIN: Final = "http://console.example"
SOCKET: Final = "ws://127.0.0.1:9001"
PREVIEW: Final = "/v1/templates/BACK_IN_STOCK:preview"
Answer = tuple[int, Any]
Handler = Callable[[Request], Answer]


def problem(status: int, code: str, detail: str, **more: Any) -> Answer:
    """An error as the API tells it."""
    body = {
        "type": f"urn:tocsin:problem:{code}",
        "title": "Not so",
        "status": status,
        "detail": detail,
    }
    return status, {**body, "instance": "/", **more}


def query(request: Request) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(request.url).query).items()}


def sent(request: Request) -> Any:
    """The JSON of a body."""
    return json.loads(request.post_data or "null")


def series(request: Request) -> Answer:
    """What /v1/ops/series answers."""
    asked = query(request)
    return 200, answers.series(int(asked["hours"]), asked["step"])


def preview(request: Request) -> Answer:
    """What a preview answers."""
    return 200, answers.preview(sent(request))


def _always(body: Any, _: Request) -> Answer:
    return 200, body


class Console:
    """A console that is open. `answers` maps a path to what it answers; each may be replaced."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        """Method, path and body of everything asked."""
        self.tokens: set[str] = set()
        self.wrong: list[str] = []
        self.away = False
        """Whether nobody answers."""
        self.sockets: list[WebSocketRoute] = []
        self.letters = answers.letters()
        self.answers: dict[str, Handler] = {
            "/v1/live-ticket": lambda _: (200, {"url": f"{SOCKET}/", "ticket": "t"}),
            "/v1/ops/overview": lambda _: (200, answers.overview()),
            "/v1/ops/series": series,
            "/v1/ops/latency": lambda _: (200, answers.latency()),
            "/v1/ops/failures": lambda _: (200, answers.FAILURES),
            "/v1/ops/waves": lambda _: (200, answers.WAVES),
            "/v1/ops/dead-letters": lambda _: (200, {"letters": self.letters, "cursor": None}),
            "/v1/ops/search": lambda _: (200, {"users": [], "notifications": []}),
            "/v1/ops/users/17850/notifications": lambda _: (200, answers.of_user()),
            "/v1/notifications/n-1": lambda _: (200, answers.path()),
            "/v1/presence": lambda _: (200, {"members": [], "cursor": None}),
            "/v1/templates": lambda _: (200, answers.TEMPLATES),
            PREVIEW: preview,
            "/v1/stats": lambda _: (200, answers.QUESTIONS),
            "/v1/stats/funnel": lambda _: (200, answers.stat("funnel")),
            "/v1/stats/ctr_by_template_version": lambda _: (
                200,
                answers.stat("ctr_by_template_version"),
            ),
        }
        for number in (0, 1, 2):
            words = answers.version(number)
            self.answers[f"/v1/templates/BACK_IN_STOCK/versions/{number}"] = partial(_always, words)

    async def begin(self) -> None:
        page = self.page
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self._said(said.type, said.text))
        settings = Settings(ws_port=9001)
        services: Any = SimpleNamespace(settings=settings)
        client = Client(create_app(services))

        async def answer(route: Route) -> None:
            path = urlsplit(route.request.url).path
            if path.startswith("/v1/"):
                await self._answer(route, path)
                return
            found = await client("GET", path)
            await route.fulfill(status=found.status, headers=dict(found.headers), body=found.body)

        await page.route(f"{ORIGIN}/**", answer)
        await page.route_web_socket(f"{SOCKET}/", self._connected)

    def _connected(self, socket: WebSocketRoute) -> None:
        """A socket that says pong to everything: so the page knows that it is in."""
        self.sockets.append(socket)
        socket.on_message(lambda _: socket.send('{"op":"pong"}'))

    async def _answer(self, route: Route, path: str) -> None:
        request = route.request
        if token := request.headers.get("authorization"):
            self.tokens.add(token)
        said = f"{request.method} {request.url.removeprefix(ORIGIN)} {request.post_data or ''}"
        self.asked.append(said.strip())
        if self.away:
            await route.abort()
            return
        handler = self.answers.get(path)
        status, body = handler(request) if handler else problem(404, "not_found", f"no {path}")
        await route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    def _said(self, kind: str, text: str) -> None:
        # that an answer was an error is what some tests are about
        if kind == "error" and "Failed to load resource" not in text:
            self.wrong.append(text)

    async def open(self, anchor: str = "") -> None:
        await self.page.goto(f"{ORIGIN}/console{anchor}")

    def frame(self, **change: Any) -> None:
        """Something happened: a frame to every socket."""
        entry = {
            "type": "ORDER_UPDATE",
            "channel": "push",
            "state": "delivered",
            "provider": "apns",
            "reason": "",
            "user": "17•••",
            "at": answers.at(),
        }
        frame = {
            "op": "live",
            "at": 0,
            "per_s": 10,
            "counters": {"push": {"accepted": 5, "delivered": 5}},
            "providers": {},
            "latency": {},
            "feed": [entry],
        }
        for socket in self.sockets:
            socket.send(json.dumps(frame | change))

    async def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    async def shoot(self, name: str, full: bool = True) -> None:
        """Keep a picture, for people to look at."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(
            path=ARTEFACTS / f"console-{name}.png", full_page=full, animations="disabled"
        )

    async def asks(self, words: str, since: int = 0) -> None:
        """Wait until the page has asked this, after the first `since` things it asked."""
        async with asyncio.timeout(MS / 1_000):
            while not any(words in each for each in self.asked[since:]):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def console(browser: Browser, **how: Any) -> AsyncIterator[Console]:
    """A console, not opened yet; nothing may have gone wrong in it at the end."""
    context = await browser.new_context(
        **({"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | how)
    )
    context.set_default_timeout(MS)
    made = Console(await context.new_page())
    await made.begin()
    yield made
    hit = await made.page.evaluate("window.hit ?? null")
    await context.close()
    assert made.wrong == []
    assert hit is None
