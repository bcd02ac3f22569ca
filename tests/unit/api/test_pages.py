"""The pages: complete, from here only, and no door for a foreign script."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from api import pages
from api.app import create_app
from tests.unit.api.asgi import Client
from tocsin.settings import Settings

SETTINGS = Settings(ws_port=9001, clickhouse_url="clickhouse://tocsin:pw@ch:8123/tocsin")
OPEN = SETTINGS.model_copy(
    update={"sandbox_url": "http://127.0.0.1:8444", "jwt_secret": SecretStr("s" * 32)}
)


def client(settings: Settings = SETTINGS) -> Client:
    """Pages need no service but the settings."""
    services: Any = SimpleNamespace(settings=settings)
    return Client(create_app(services))


@pytest.mark.parametrize("path", ["/", "/docs", "/shop", "/console"])
async def test_a_page_and_all_it_refers_to_is_there(path: str) -> None:
    page = await client(OPEN)("GET", path)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    names = set(re.findall(r'"(/web/[\w.-]+)"', page.body.decode()))
    assert names
    seen: set[str] = set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        asset = await client(OPEN)("GET", name)
        assert asset.status == 200, name
        assert asset.headers["x-content-type-options"] == "nosniff"
        names |= set(re.findall(r'from "(/web/[\w.-]+)"', asset.body.decode()))


@pytest.mark.parametrize("path", ["/", "/docs", "/shop", "/console"])
async def test_the_policy_lets_nothing_inline_or_foreign_run(path: str) -> None:
    page = await client(OPEN)("GET", path)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' ws://127.0.0.1:9001;" in policy
    text = page.body.decode()
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert not re.search(r"\s(on\w+|style)=", text)
    assert not re.search(r'(src|href)="(https?:)?//', text)


def test_scripts_put_text_in_as_text() -> None:
    for name, body in pages._FILES.items():
        if name.endswith(".js"):
            assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write", body)


async def test_an_unchanged_file_is_not_sent_again() -> None:
    first = await client()("GET", "/web/style.css")
    again = await client()("GET", "/web/style.css", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2Fserve.py", "%2e%2e%2fapp.py"])
async def test_nothing_else_can_be_had(name: str) -> None:
    assert (await client()("GET", f"/web/{name}")).status == 404


async def test_links_are_told_beside_the_sandbox_only() -> None:
    assert (await client()("GET", "/web/links.json")).json == {
        "demo": False, "shop": None, "sandbox": None, "clickhouse": None,
    }  # fmt: skip
    demo = SETTINGS.model_copy(update={"sandbox_url": "http://127.0.0.1:8444"})
    links = (await client(demo)("GET", "/web/links.json")).json
    assert links == {
        "demo": True, "shop": "/shop", "sandbox": "http://127.0.0.1:8444", "clickhouse": "http://ch:8123",
    }  # fmt: skip


@pytest.mark.parametrize("settings", [SETTINGS, OPEN.model_copy(update={"sandbox_url": ""})])
async def test_the_shop_is_shut_away_from_the_sandbox(settings: Settings) -> None:
    shut = await client(settings)("GET", "/shop")
    assert (shut.status, shut.code) == (404, "not_found")
    assert "TOCSIN_SANDBOX_URL" in shut.json["detail"]
    for path in ("/shop/api/products", "/shop/api/live-ticket", "/shop/api/counter"):
        assert (await client(settings)("GET", path)).status == 404
    assert (await client(settings)("POST", "/shop/api/login", {})).status == 404
