"""A provider without a vendor: for tests, beside the real ones and held to the same contract."""

import asyncio
from collections.abc import Callable

from actors.message import Message, Sent
from tocsin.errors import AddressGone, SendError

NAME = "fake"


class FakeProvider:
    """Remembers what it accepted. Addresses that start with ``gone`` are gone.

    `fault` makes the error of the next messages, None ends it; with `accept_first` a message is
    accepted before the error is raised, as when an answer is lost. `latency` is in seconds.
    """

    def __init__(self, name: str = NAME) -> None:
        self.name = name
        self.accepted: list[Message] = []
        self.fault: Callable[[Message], SendError | Exception | None] | None = None
        self.accept_first = False
        self.latency = 0.0
        self.closed = False
        self.at_once = self.most_at_once = 0

    async def send(self, message: Message) -> Sent:
        """`provider_message_id` counts what was accepted."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.latency)
            return self._answered(message)
        finally:
            self.at_once -= 1

    def _answered(self, message: Message) -> Sent:
        error = self.fault(message) if self.fault else None
        if message.address.startswith("gone"):
            error = AddressGone("gone", self.name)
        if error is None or self.accept_first:
            self.accepted.append(message)
        if error is not None:
            raise error
        return Sent(self.name, f"{self.name}-{len(self.accepted)}")

    async def close(self) -> None:
        """Remembers that it was closed."""
        self.closed = True

    def times(self, delivery_id: str) -> int:
        """How often a delivery was accepted."""
        return sum(message.delivery_id == delivery_id for message in self.accepted)
