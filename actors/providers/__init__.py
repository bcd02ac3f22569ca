"""Providers: one vendor a file, named <channel>_<vendor>.py, all with the interface below."""

from typing import Protocol

from actors.message import Message, Sent


class Provider(Protocol):
    """One vendor's way to deliver one message.

    `send` raises `Transient` (nothing was accepted), `Ambiguous` (the bytes left, no answer came),
    `Permanent` or `AddressGone`; whose reason is the vendor's own word and never holds an address
    or a text. It paces nothing and retries nothing that could be accepted twice.
    """

    name: str

    async def send(self, message: Message) -> Sent: ...

    async def close(self) -> None: ...
