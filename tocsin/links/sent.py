"""The message a link was in, as few bytes: a text message has 160 characters. Pure.

What the books know of a notification (its template, its version) is not in its links.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from tocsin.errors import Invalid
from tocsin.records.notification import CHANNELS, Channel

TYPES: Final = (
    "", "BACK_IN_STOCK", "ORDER_CONFIRMATION", "ORDER_UPDATE", "SALE_OFFER", "NEWSLETTER", "REVIEW",
    "COMPLAINT_RESPONSE", "NEW_COMPLAINT", "DIGEST",
)  # fmt: skip
"""By their number in links already sent: only ever add to the end, up to 16. 0 is spelled out."""

PLACES: Final = ("", "/", "/shop", "/shop?sku=", "/shop?order=", "/shop?complaint=")
"""Beginnings of what a link leads to, by their number: as `TYPES`. The bundled shop's own."""

_TYPE: Final = {name: number for number, name in enumerate(TYPES)}
_CHANNEL: Final = {channel: number for number, channel in enumerate(CHANNELS)}
_NOTIFICATION_UUID, _USER_UUID = 4, 8
_FORMAT: Final = 0xF0
_MOST: Final = 0x7FFF
_HUNDREDTH: Final = timedelta(milliseconds=10)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 2**40 - 1
"""Hundredths of a second in five bytes: until the year 2318."""


class Sent(NamedTuple):
    """Which message, to whom, and when it left (to a hundredth of a second)."""

    notification_id: str
    user_id: str
    channel: Channel
    type: str
    at: datetime


def pack(sent: Sent, text: str) -> bytes:
    """The message and where its link leads (for an unsubscribe link: from what it unsubscribes).

    Two bytes of numbers, five of time, the two ids, the type if it is none of `TYPES`, the text.
    """
    nid, user = _uuid(sent.notification_id), _uuid(sent.user_id)
    kind, place = _TYPE.get(sent.type, 0), _place(text)
    head = _CHANNEL[sent.channel]
    if nid:
        head |= _NOTIFICATION_UUID
    if user:
        head |= _USER_UUID
    at = min(max(int(sent.at.timestamp() * 100), 0), _LATEST)
    return b"".join(
        (
            bytes((head, kind << 4 | place)),
            at.to_bytes(5, "big"),
            nid or _sized(sent.notification_id),
            user or _sized(sent.user_id),
            b"" if kind else _sized(sent.type),
            text[len(PLACES[place]) :].encode(),
        )
    )


def unpack(payload: bytes) -> tuple[Sent, str]:
    """What `pack` was given. Raises `Invalid` for a layout this version does not know."""
    try:
        head, numbers = payload[0], payload[1]
        if head & _FORMAT:
            raise Invalid("token", "made by a newer version")
        reader = _Reader(payload, 2)
        at = _EPOCH + int.from_bytes(reader.take(5), "big") * _HUNDREDTH
        nid = reader.uuid() if head & _NOTIFICATION_UUID else reader.sized()
        user = reader.uuid() if head & _USER_UUID else reader.sized()
        kind = TYPES[numbers >> 4] if numbers >> 4 else reader.sized()
        text = PLACES[numbers & 15] + reader.rest()
    except (IndexError, UnicodeDecodeError):
        raise Invalid("token", "not a link of ours") from None
    return Sent(nid, user, CHANNELS[head & 3], kind, at), text


class _Reader:
    def __init__(self, payload: bytes, at: int) -> None:
        self._payload, self._at = payload, at

    def take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._payload):
            raise IndexError
        return self._payload[start : self._at]

    def uuid(self) -> str:
        text = self.take(16).hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def sized(self) -> str:
        size = self.take(1)[0]
        if size & 0x80:
            size = (size & 0x7F) << 8 | self.take(1)[0]
        return self.take(size).decode()

    def rest(self) -> str:
        return self._payload[self._at :].decode()


def _uuid(text: str) -> bytes:
    """16 bytes for a UUID as it is usually written, which comes out the same again; else none."""
    if len(text) != 36 or not text[8] == text[13] == text[18] == text[23] == "-":
        return b""
    bare = text.replace("-", "")
    if len(bare) != 32 or bare.lower() != bare:
        return b""
    try:
        found = bytes.fromhex(bare)
    except ValueError:
        return b""
    return found if len(found) == 16 else b""  # fromhex passes over spaces


def _sized(text: str) -> bytes:
    raw = text.encode()
    if len(raw) < 0x80:
        return bytes((len(raw),)) + raw
    if len(raw) > _MOST:
        raise ValueError(f"an id of {len(raw):,} bytes")
    return bytes((0x80 | len(raw) >> 8, len(raw) & 0xFF)) + raw


def _place(text: str) -> int:
    """The longest beginning."""
    if not text.startswith("/"):
        return 0
    if text.startswith("/shop"):
        for number in (3, 4, 5):
            if text.startswith(PLACES[number]):
                return number
        return 2
    return 1
