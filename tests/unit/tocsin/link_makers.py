"""Tokens for tests."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

from tocsin.links import Purpose, Seals, Sent, Unsubscribe
from tocsin.links.sent import pack
from tocsin.records import Channel
from tocsin.settings import Settings

AT = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)


def sent(
    notification_id: str = "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6",
    user_id: str = "u1",
    channel: Channel = Channel.EMAIL,
    type: str = "SALE_OFFER",
    at: datetime = AT,
) -> Sent:
    return Sent(notification_id, user_id, channel, type, at)


def token(settings: Settings, purpose: Purpose, text: str, what: Sent | None = None) -> str:
    return Seals(settings).seal(purpose, pack(what or sent(), text))


def unsubscribe(
    settings: Settings, user_id: str, category: str = "promotional", channel: str = "email"
) -> str:
    what = sent("n1", user_id, Channel(channel), "NEWSLETTER")
    return token(settings, Purpose.UNSUBSCRIBE, category, what)


def first_kind(secret: str, what: Unsubscribe) -> str:
    """An unsubscribe token as they were made before there were others."""
    body = json.dumps(
        [what.user_id, what.category, what.channel], separators=(",", ":"), ensure_ascii=False
    ).encode()
    mac = hmac.digest(secret.encode(), b"tocsin unsubscribe\x00" + body, sha256)[:16]
    return urlsafe_b64encode(mac + body).rstrip(b"=").decode()
