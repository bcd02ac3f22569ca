"""What arrived at a shopper's addresses, as the provider sandbox kept it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from tocsin.errors import EngineUnavailable

LONGEST_WAIT: Final = 10.0
MOST: Final = 50
"""Messages at once; the next call brings the next ones."""

_PATIENCE: Final = 5.0
_CHANNELS: Final = {"twilio": "sms", "apns": "push", "fcm": "push", "smtp": "email"}


class Message(msgspec.Struct, frozen=True):
    """One message as a phone shows it. `sequence` grows from one to the next."""

    sequence: int
    channel: str
    type: str
    at: float
    title: str
    text: str


class Arrived(msgspec.Struct, frozen=True):
    """Oldest first. Ask again for what comes after `last`."""

    last: int
    messages: list[Message]


class Phone:
    """Reads the sandbox. Raises `EngineUnavailable` while it is away."""

    def __init__(self, sandbox_url: str) -> None:
        self._url = sandbox_url.rstrip("/")
        self._client: Client | None = None

    async def texts(self, number: str, after: int, wait: float) -> Arrived:
        """SMS to a number after message `after`; waits up to `wait` s for the first."""
        query = {"after": str(after), "wait": f"{min(wait, LONGEST_WAIT):.3f}"}
        page = await self._read(f"/sandbox/phones/{number}", query, wait)
        found = [{"provider": "twilio"} | message for message in page["messages"]]
        return Arrived(int(page["last"]), [message(receipt) for receipt in reversed(found)])

    async def all(self, addresses: Sequence[str], after: int) -> Arrived:
        """Whatever came to these addresses after message `after`."""
        query = {"recipient": ",".join(addresses), "since": str(after), "limit": str(MOST)}
        page = await self._read("/sandbox/journal", query)
        found = [message(receipt) for receipt in page["receipts"]]
        full = len(found) == MOST
        # a journal that begins anew counts on, so nobody ever has a number from its future
        return Arrived(found[-1].sequence if full else int(page["last"]), found)

    async def newest(self) -> int:
        """Where the journal ends now."""
        page = await self._read("/sandbox/journal/summary", {})
        return int(page["last"])

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()

    async def _read(self, path: str, query: Mapping[str, str], wait: float = 0) -> dict[str, Any]:
        if self._client is None:
            self._client = ClientBuilder().follow_redirects(False).build()
        request = self._client.get(self._url + path).query(dict(query))
        try:
            response = await request.timeout(timedelta(seconds=wait + _PATIENCE)).build().send()
            if response.status == 200:
                return dict(msgspec.json.decode(bytes(await response.bytes())))
            said = f"it says {response.status}"
        except (PyreqwestError, msgspec.DecodeError) as error:
            said = type(error).__name__
        raise EngineUnavailable("the provider sandbox", self._url, said)


def message(receipt: Mapping[str, Any]) -> Message:
    """A receipt as a phone shows it."""
    return Message(
        sequence=int(receipt["sequence"]),
        channel=_CHANNELS.get(str(receipt["provider"]), "push"),
        type=str(receipt.get("type") or ""),
        at=float(receipt["received_at"]),
        title=str(receipt.get("title") or receipt.get("subject") or ""),
        text=str(receipt.get("text") or receipt.get("body") or ""),
    )
