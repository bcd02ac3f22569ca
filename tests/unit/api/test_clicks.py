"""The links in messages over HTTP: on to where they lead, nowhere else, and every visit told."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.clicks import GIF
from tests.unit.api.asgi import Answer, Client
from tests.unit.tocsin.link_makers import AT, sent, token
from tocsin.clock import ManualClock
from tocsin.links import Purpose, Seals
from tocsin.records import Engagement
from tocsin.settings import Settings

SETTINGS = Settings(jwt_secret="s" * 40, public_url="https://shop.example/")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
TARGET = "/shop?sku=85123A"
CLICK, TRAP = (token(SETTINGS, purpose, TARGET) for purpose in (Purpose.CLICK, Purpose.TRAP))
OPEN = token(SETTINGS, Purpose.OPEN, TARGET)


class Site:
    """The routes with nothing behind them but what they would have told Kafka."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.told: list[Engagement] = []
        self.clock = ManualClock(AT + timedelta(minutes=1))
        services: Any = SimpleNamespace(
            settings=settings, seals=Seals(settings), clock=self.clock, hits=self,
            public_url=settings.public_url.rstrip("/"),
        )  # fmt: skip
        self._client = Client(create_app(services))

    async def keep(self, event: Engagement) -> None:
        self.told.append(event)

    async def __call__(self, method: str, path: str, **headers: str) -> Answer:
        headers.setdefault("user_agent", BROWSER)
        return await self._client(method, path, None, pieces=None, **headers)


async def test_a_click_goes_on_and_is_told() -> None:
    site = Site()
    answer = await site("GET", f"/c/{CLICK}?utm_source=mail")
    assert (answer.status, answer.headers["location"]) == (
        302,
        "https://shop.example/shop?sku=85123A",
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.body == b""
    (event,) = site.told
    assert (event.kind, event.bot, event.bot_reason) == ("click", False, "")
    assert event.at == site.clock.now()
    assert event.link == "https://shop.example/shop", "no query: it may name a person"
    what = sent()
    assert (event.notification_id, event.user_id) == (what.notification_id, what.user_id)
    assert (event.channel, event.type) == ("email", "SALE_OFFER")


async def test_an_open_gets_one_transparent_dot() -> None:
    site = Site()
    answer = await site("GET", f"/o/{OPEN}.gif")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert (answer.body, len(answer.body)) == (GIF, 43)
    assert answer.headers["cache-control"] == "no-store"
    assert [(e.kind, e.link, e.bot) for e in site.told] == [("open", "", False)]


@pytest.mark.parametrize(("path", "status"), [(f"/c/{CLICK}", 302), (f"/o/{OPEN}.gif", 200)])
async def test_head_is_the_same_without_a_body_and_no_person(path: str, status: int) -> None:
    site = Site()
    looked, got = await site("HEAD", path), await site("GET", path)
    assert (looked.status, looked.body) == (got.status, b"") == (status, b"")
    assert looked.headers == got.headers
    assert [e.bot_reason for e in site.told] == ["head", ""]


async def test_the_link_nobody_sees_leads_to_the_same_place_and_tells_of_a_machine() -> None:
    site = Site()
    assert (await site("GET", f"/c/{TRAP}")).headers["location"].endswith("/shop?sku=85123A")
    assert [e.bot_reason for e in site.told] == ["honeypot"]


WRONG = [
    f"/c/{OPEN}", f"/o/{CLICK}.gif", f"/o/{TRAP}.gif", f"/u/{CLICK}", f"/c/{CLICK[:-1]}",
    f"/c/{CLICK}A", f"/c/{CLICK}=", f"/c/{CLICK.swapcase()}", f"/c/%{ord(CLICK[0]):02x}{CLICK[1:]}",
    f"/o/%{ord(OPEN[0]):02X}{OPEN[1:]}.gif", f"/o/{OPEN}%2egif", "/c/https:%2F%2Fevil.example",
    f"/c/{token(SETTINGS, Purpose.UNSUBSCRIBE, TARGET)}",
    f"/c/{token(Settings(jwt_secret='o' * 40), Purpose.CLICK, TARGET)}",
    f"/c/{token(SETTINGS, Purpose.CLICK, 'javascript:alert(1)')}",
]  # fmt: skip


@pytest.mark.parametrize("path", WRONG)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_is_no_link_of_ours_leads_nowhere(method: str, path: str) -> None:
    site = Site()
    answer = await site(method, path)
    assert answer.status in ((404, 405) if path.startswith("/u/") else (404,))
    assert "location" not in answer.headers
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.told == []


async def test_whoever_looks_gets_a_page_that_says_so() -> None:
    site = Site()
    page = await site("GET", f"/c/{CLICK}A", accept="text/html,*/*")
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"does not work" in page.body
    assert "location" not in page.headers


async def test_an_old_link_is_gone() -> None:
    site = Site()
    site.clock.advance(timedelta(days=91))
    for path in (f"/c/{CLICK}", f"/c/{TRAP}", f"/o/{OPEN}.gif"):
        answer = await site("GET", path)
        assert (answer.status, answer.code) == (410, "link_expired")
    page = await site("GET", f"/c/{CLICK}", accept="text/html")
    assert (page.status, b"too old" in page.body) == (410, True)
    assert site.told == []


async def test_the_same_request_twice_is_one_event_and_a_later_one_is_another() -> None:
    site = Site()
    for _ in range(2):
        await site("GET", f"/c/{CLICK}")
    await site("GET", f"/c/{CLICK}", user_agent="curl/8")
    site.clock.advance(timedelta(seconds=2))
    await site("GET", f"/c/{CLICK}")
    names = [event.event_id for event in site.told]
    assert names[0] == names[1]
    assert len(set(names)) == 3


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
async def test_it_leads_where_it_was_sealed_to_and_nowhere_else(rest: str) -> None:
    for target in (f"/{rest}", f"https://x.example/{rest}"):
        answer = await Site()("GET", f"/c/{token(SETTINGS, Purpose.CLICK, target)}")
        host = "https://shop.example/" if target[0] == "/" else "https://x.example/"
        if answer.status == 302:
            assert answer.headers["location"].startswith(host)
        else:
            assert answer.status == 404
            assert not target.isprintable()
