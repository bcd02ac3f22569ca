"""Links that prove themselves: a one-click unsubscribe needs no log-in, so its URL carries a MAC.

Put into mail by the senders, read by the api at ``/u/{token}``.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

import msgspec

from tocsin.errors import Invalid

_PURPOSE: Final = b"tocsin unsubscribe\x00"
_MAC_BYTES: Final = 16


class Unsubscribe(msgspec.Struct, frozen=True, array_like=True):
    """Whose messages of which category on which channel are to stop."""

    user_id: str
    category: str
    channel: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Unsubscribe).decode


def seal(secret: str, what: Unsubscribe) -> str:
    """A URL-safe token. It does not expire: a mail can be years old when someone has enough."""
    body = _encode(what)
    return urlsafe_b64encode(_mac(secret, body) + body).rstrip(b"=").decode()


def unseal(secret: str, token: str) -> Unsubscribe:
    """What a token made with the same secret says. Raises `Invalid` for any other."""
    try:
        raw = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise Invalid("token", "not a link of ours") from None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(secret, body)):
        raise Invalid("token", "not a link of ours")
    return _decode(body)


def _mac(secret: str, body: bytes) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + body, sha256)[:_MAC_BYTES]
