"""Calling an ASGI application directly: no socket, and the body in whatever pieces a test wants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from starlette.types import Message


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.json["status"] == self.status
        assert {"type", "title", "status", "detail", "instance"} <= set(self.json)
        return str(self.json["type"]).rpartition(":")[2]


class Pieces:
    """A request body as it arrives; counts what the application has taken."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._left, self.taken = list(pieces), 0

    async def receive(self) -> Message:
        self.taken += 1
        piece = self._left.pop(0) if self._left else b""
        return {"type": "http.request", "body": piece, "more_body": bool(self._left)}


class Client:
    """Requests to one application, with one token."""

    def __init__(self, app: FastAPI, token: str | None = None) -> None:
        self._app, self._token = app, token

    def with_token(self, token: str | None) -> "Client":
        """The same application, another caller."""
        return Client(self._app, token)

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        pieces: Pieces | None = None,
        **headers: str,
    ) -> Answer:
        """`body` bytes go as they are, anything else as JSON. Header names with `_` for `-`."""
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        if self._token:
            headers.setdefault("authorization", f"Bearer {self._token}")
        return await _call(self._app, method, path, headers, pieces or Pieces([raw]))


async def _call(
    app: FastAPI, method: str, path: str, headers: Mapping[str, str], pieces: Pieces
) -> Answer:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(_scope(method, path, headers), pieces.receive, send)
    answered = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, b"".join(m.get("body", b"") for m in sent[1:]))


def _scope(method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    lower = [(k.replace("_", "-").lower().encode(), v.encode()) for k, v in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": lower,
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50_000),
    }
