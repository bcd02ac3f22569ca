"""A service's calls to a whole system that runs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pyreqwest.client import Client, ClientBuilder

from tocsin.records import encode
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint


class Shop:
    """A service that may do everything."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client, self._url = client, settings.public_url

    async def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        request = self._client.request(method, self._url + path)
        if body is not None:
            request = request.body_bytes(encode(body))
        answer = await request.build().send()
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


@asynccontextmanager
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    token = mint(settings, subject="shop", kind="service", scopes=frozenset(SCOPES), seconds=3600)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with ClientBuilder().default_headers(headers).build() as client:
        yield Shop(client, settings)
