"""The web pages: static files, read once, under a policy that lets nothing else run."""

from hashlib import sha256
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Request, Response

from api.call import answer, services_of
from api.routes.tickets import ws_url
from tocsin.errors import Refused
from tocsin.settings import Settings

router = APIRouter(include_in_schema=False)

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_FILES: Final = {
    entry.name: entry.read_bytes()
    for entry in (files("api") / "web").iterdir()
    if entry.name.rpartition(".")[2] in _TYPES
}
_SHARED: Final = frozenset({"tocsin-inbox.js"})
"""What pages of other origins may load, too."""

_TAGS: Final = {name: f'"{sha256(body).hexdigest()[:16]}"' for name, body in _FILES.items()}


class Links(msgspec.Struct):
    """What else there is to look at, beside the sandbox; elsewhere nothing is told."""

    demo: bool
    shop: str | None = None
    sandbox: str | None = None
    clickhouse: str | None = None


@router.get("/")
async def index(request: Request) -> Response:
    """What is happening, live."""
    return file(request, "index.html")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API reference, drawn from /openapi.json."""
    return file(request, "docs.html")


@router.get("/console")
async def console(request: Request) -> Response:
    """The operations console. The page tells nothing by itself: what it shows, it asks for under
    the token of whoever looks."""
    return file(request, "console.html")


@router.get("/web/links.json")
async def links(request: Request) -> Response:
    """Links of the index page."""
    settings = services_of(request).settings
    if not settings.sandbox_url:
        return answer(Links(False))
    return answer(Links(True, "/shop", settings.sandbox_url, _clickhouse(settings)))


@router.get("/web/{name}")
async def asset(request: Request, name: str) -> Response:
    """A script, a style, a picture."""
    if name not in _FILES or name.endswith(".html"):
        raise Refused("not_found", f"there is no {name!r}")
    return file(request, name)


def file(request: Request, name: str) -> Response:
    """A file of web/, unless the browser has it."""
    headers = {
        "ETag": _TAGS[name],
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if name in _SHARED:
        headers |= {
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
    if request.headers.get("if-none-match") == _TAGS[name]:
        return Response(status_code=304, headers=headers)
    kind = name.rpartition(".")[2]
    if kind == "html":
        headers |= {
            "Content-Security-Policy": policy(services_of(request).settings),
            "Referrer-Policy": "no-referrer",
        }
    return Response(_FILES[name], headers=headers, media_type=_TYPES[kind])


def policy(settings: Settings) -> str:
    """Own scripts and styles only, nothing inline; own requests, and the sockets."""
    at = urlsplit(ws_url(settings))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {at.scheme}://{at.netloc}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _clickhouse(settings: Settings) -> str:
    """Its web interface, without the user and password of ours."""
    at = urlsplit(settings.clickhouse_url.get_secret_value())
    scheme = "https" if at.scheme == "clickhouses" else "http"
    return f"{scheme}://{at.hostname}:{at.port or 8123}"
