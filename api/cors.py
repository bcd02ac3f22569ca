"""Pages of other origins: those of TOCSIN_ORIGINS may call the API, as the inbox element does."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key")


def allow(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """`app` for these origins, too. Tokens come in headers, so no cookies are asked for."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_HEADERS,
        allow_credentials=False,
        expose_headers=("Retry-After",),
    )
