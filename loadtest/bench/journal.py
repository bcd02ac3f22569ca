"""The sandbox's own books, read from outside."""

import asyncio
import json
import time
from typing import Any

from pyreqwest.client import Client, ClientBuilder

_PAGE = 10_000


class Journal:
    """Reads what the providers received. Use as an async context manager."""

    def __init__(self, sandbox_url: str) -> None:
        self._url = sandbox_url
        self._client: Client | None = None
        self._since = 0

    async def __aenter__(self) -> "Journal":
        self._client = await ClientBuilder().build().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._client
        await self._client.close()

    async def summary(self) -> dict[str, Any]:
        """Counts per provider, refusals, and deliveries that came twice."""
        return dict(json.loads(await self._get("/sandbox/journal/summary")))

    async def skip(self) -> None:
        """What is in the journal now does not interest the next `received`."""
        self._since = (await self.summary())["last"]

    async def received(self, challenges: set[str], seconds: float) -> dict[str, float]:
        """When each OTP challenge reached the SMS provider (Unix seconds); waits for the last of
        them at most `seconds`."""
        found: dict[str, float] = {}
        end = time.monotonic() + seconds
        while challenges - found.keys() and time.monotonic() < end:
            path = f"/sandbox/journal?provider=twilio&since={self._since}&limit={_PAGE}"
            lines = (await self._get(f"{path}&format=ndjson")).splitlines()
            for receipt in map(json.loads, lines):
                self._since = max(self._since, receipt["sequence"])
                challenge = receipt["delivery_id"].rpartition(":")[0]
                if challenge in challenges:
                    found.setdefault(challenge, receipt["received_at"])
            if not lines:
                await asyncio.sleep(0.1)
        return found

    async def put(self, path: str, body: object) -> None:
        """One of the sandbox's controls, such as a fault."""
        assert self._client
        await self._client.put(self._url + path).body_json(body).build().send()

    async def _get(self, path: str) -> str:
        assert self._client
        answer = await self._client.get(self._url + path).build().send()
        return await answer.text()
