"""What a person would see: the newest messages per phone number, and waiting for the next one."""

import asyncio
from typing import Any, Final

from loadtest.sandbox import twilio
from loadtest.sandbox.journal import Journal

KEPT: Final = 20
"""Messages remembered per number. One small tuple per number ever texted, until `clear`."""


class Phones:
    """An index over the journal's SMS receipts."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._newest: dict[str, tuple[int, ...]] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self._closed = False

    def arrived(self, number: str, sequence: int) -> None:
        """A message to `number` is in the journal."""
        self._newest[number] = (*self._newest.get(number, ())[1 - KEPT :], sequence)
        if (event := self._waiting.pop(number, None)) is not None:
            event.set()

    def clear(self) -> None:
        """Forget every message."""
        self._newest.clear()

    def close(self) -> None:
        """Wake every waiter, and let nobody wait again."""
        self._closed = True
        for event in self._waiting.values():
            event.set()
        self._waiting.clear()

    def messages(self, number: str, after: int = 0) -> list[dict[str, Any]]:
        """Newest first, those after sequence number `after`."""
        wanted = max(after, self._journal.first - 1)
        return [
            self._shown(sequence)
            for sequence in reversed(self._newest.get(number, ()))
            if sequence > wanted
        ]

    def _shown(self, sequence: int) -> dict[str, Any]:
        entry = self._journal.entry(sequence)
        text = twilio.describe(entry.content) if entry.content is not None else {}
        return {
            "sequence": sequence, "received_at": entry.received_at, "provider": entry.provider,
            "id": entry.id, "delivery_id": entry.delivery_id, "type": entry.type, **text,
        }  # fmt: skip

    async def wait(self, number: str, after: int, seconds: float) -> list[dict[str, Any]]:
        """`messages`, or if there are none, those of the next arrival within `seconds`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not (found := self.messages(number, after)) and not self._closed:
            left = end - loop.time()
            if left <= 0:
                break
            event = self._waiting.setdefault(number, asyncio.Event())
            try:
                await asyncio.wait_for(event.wait(), left)
            except TimeoutError:
                break
        return found
