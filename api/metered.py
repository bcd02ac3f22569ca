"""Every request counted and timed by the route it took, not by its address."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.metrics import HTTP_REQUESTS, HTTP_SECONDS


class Metered:
    """ASGI middleware. Unknown addresses are one route, so that a scanner makes no new series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = "500"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, noting)
        finally:
            name = getattr(scope.get("route"), "path", "unknown")
            HTTP_REQUESTS.labels(name, status).inc()
            HTTP_SECONDS.labels(name).observe(time.perf_counter() - began)
