"""What a provider's side decides of one request, before any byte is answered."""

from typing import Final, Literal, NamedTuple, Protocol

Provider = Literal["apns", "fcm", "twilio", "smtp"]
PROVIDERS: Final[tuple[Provider, ...]] = ("apns", "fcm", "twilio", "smtp")

HeaderList = list[tuple[str, str]]
JSON: Final = ("content-type", "application/json")


class Headers(Protocol):
    """Request headers by lower-case name."""

    def get(self, key: str, /) -> str | None: ...


class Receipt(NamedTuple):
    """One accepted message. `content` is what arrived, parsed for people only when asked for."""

    provider: Provider
    recipient: str
    id: str
    delivery_id: str
    type: str
    content: bytes
    collapse_id: str = ""


class Verdict(NamedTuple):
    """The answer, and the receipt when the message was accepted.

    `reason` is the provider's own word for a refusal, empty when there is none. Neither receipt nor
    reason: nothing happened that is worth counting (a dry run, a token granted).
    """

    status: int
    headers: HeaderList
    body: bytes
    receipt: Receipt | None = None
    reason: str = ""
