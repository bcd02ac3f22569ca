"""Sealing and opening tokens: AES-SIV (RFC 5297), a key per purpose, one spelling each."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from tocsin.errors import Invalid, Refused
from tocsin.links.ring import Ring
from tocsin.links.sent import Sent, unpack
from tocsin.settings import Settings

MOST_CHARACTERS: Final = 4_000
"""Of a token; a longer one is not looked at."""


class Purpose(StrEnum):
    """What a token is good for; it opens nothing else. A TRAP is a click nobody sees a link for."""

    CLICK = "click"
    OPEN = "open"
    TRAP = "trap"
    UNSUBSCRIBE = "unsubscribe"


class Link(NamedTuple):
    """What a token says: the message it was in, and the text it was sealed with."""

    sent: Sent
    text: str


class Seals:
    """Makes and opens tokens. The same message and text make the same token: nothing in it is
    random, and nothing in it can be read."""

    def __init__(self, settings: Settings) -> None:
        old = settings.old_link_secrets()
        self._ring = Ring(settings.link_secret(), old, tuple(Purpose))
        self._lasting = timedelta(days=settings.link_days)

    @property
    def able(self) -> bool:
        """Whether there is a secret: without one anybody could make a token, so none is made."""
        return self._ring.current is not None

    def seal(self, purpose: Purpose, payload: bytes) -> str:
        """The token of what `sent.pack` made: 1 byte of key id, 16 that prove it, the payload."""
        key = self._ring.current
        assert key is not None, "only where `able`"
        sealed = key.ciphers[purpose].encrypt(payload, None)
        return urlsafe_b64encode(key.id + sealed).rstrip(b"=").decode()

    def open(self, purpose: Purpose, token: str, now: datetime | None) -> Link:
        """What a token says. Raises `Refused`: "not_found" for any that was not sealed with one of
        our secrets for this purpose or is spelled in any other way, "link_expired" for an old one
        (with `now` None none is too old).
        """
        raw = _raw(token)
        for key in self._ring.named(raw[:1]):
            try:
                payload = key.ciphers[purpose].decrypt(raw[1:], None)
                link = Link(*unpack(payload))
            except (InvalidTag, Invalid, ValueError):
                continue
            if now is not None and now - link.sent.at > self._lasting:
                raise Refused("link_expired", "this link is too old; what it led to may be too")
            return link
        raise not_ours()


def not_ours() -> Refused:
    """The same for every token that is refused: it tells nothing about why."""
    return Refused("not_found", "this link is not one of ours, or is not whole")


def _raw(token: str) -> bytes:
    """The bytes of a token in the one spelling that we give out: base64 has several of most."""
    if len(token) > MOST_CHARACTERS:
        raise not_ours()
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise not_ours() from None
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise not_ours()
    return raw
