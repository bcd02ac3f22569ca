"""The customers' phones, as the provider sandbox shows them."""

import asyncio
import re
import time
from datetime import timedelta
from typing import Any, Final

import msgspec
from pyreqwest.client import Client
from pyreqwest.exceptions import PyreqwestError

_LONGEST_WAIT: Final = 2.0
_PAUSE_WHEN_AWAY: Final = 0.5
_CODE = re.compile(r"(?<!\d)\d{6,8}(?!\d)")


class Phones:
    """Reads what arrives at phone numbers. Numbers with nobody's messages cost nothing to ask."""

    def __init__(self, client: Client, sandbox_url: str, stop: asyncio.Event) -> None:
        """Once `stop` is set, nobody waits for another message."""
        self._client, self._stop = client, stop
        self._url = sandbox_url.rstrip("/") + "/sandbox/phones/"

    async def last(self, number: str) -> int:
        """The sequence number of the newest message there is, 0 without any."""
        return int((await self._read(number, 0, 0)).get("last", 0))

    async def code(self, number: str, after: int, seconds: float) -> str | None:
        """The newest one-time code that came after message `after`, or comes within `seconds`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            page = await self._read(number, after, min(left, _LONGEST_WAIT))
            if not page:
                await asyncio.sleep(min(left, _PAUSE_WHEN_AWAY))
            for message in page.get("messages", ()):
                if code := code_in(message):
                    return code
            if self._stop.is_set():
                break
            after = int(page.get("last", after))
        return None

    async def _read(self, number: str, after: int, wait: float) -> dict[str, Any]:
        request = (
            self._client.get(self._url + number)
            .query({"after": str(after), "wait": f"{wait:.3f}"})
            .timeout(timedelta(seconds=wait + 5))
            .build()
        )
        try:
            response = await request.send()
            return dict(msgspec.json.decode(bytes(await response.bytes())))
        except (PyreqwestError, msgspec.DecodeError):
            # the sandbox is away or restarting; the caller's time limit decides
            return {}


def code_in(message: dict[str, Any]) -> str | None:
    """The code in an SMS that is about a code; an order's number is none."""
    text = str(message.get("text") or "")
    if message.get("type") not in ("OTP", "", None) or "code" not in text.lower():
        return None
    found = _CODE.search(text)
    return found[0] if found else None
