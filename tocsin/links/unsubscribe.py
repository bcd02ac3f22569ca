"""One-click unsubscribe: whose messages of which category on which channel are to stop."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from tocsin.errors import Invalid

_PURPOSE: Final = b"tocsin unsubscribe\x00"
_MAC_BYTES: Final = 16


class Unsubscribe(msgspec.Struct, frozen=True, array_like=True):
    """Who wants no more of what, and the notification that had the link, if it is known."""

    user_id: str
    category: str
    channel: str
    notification_id: str = ""
    type: str = ""


_decode = msgspec.json.Decoder(Unsubscribe).decode


def open_first_kind(secrets: Iterable[str], token: str) -> Unsubscribe:
    """What a token of the first kind says: JSON that can be read, behind a MAC.

    None is made any more, but the mails that carry one are read for years. Raises `Invalid`.
    """
    try:
        raw = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise Invalid("token", "not a link of ours") from None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    canonical = urlsafe_b64encode(raw).rstrip(b"=").decode() == token
    for secret in secrets:
        if canonical and secret and hmac.compare_digest(mac, _mac(secret, body)):
            return _decode(body)
    raise Invalid("token", "not a link of ours")


def _mac(secret: str, body: bytes) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + body, sha256)[:_MAC_BYTES]
