"""Push to Apple devices: the APNs provider API, one POST per device over shared HTTP/2.

Ours, since the packages that exist hang, do not import, or speak a protocol switched off in 2021
(README). Apple's page: "Sending notification requests to APNs".
"""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec
from pyreqwest.client import Client

from actors.message import Message, Sent
from actors.providers.answers import by_status, retry_after
from actors.providers.apns_token import ApnsToken
from actors.providers.http import post
from tocsin.clock import Clock, SystemClock
from tocsin.errors import AddressGone, Permanent, ProviderDown, SendError, Transient
from tocsin.ids import derived_id
from tocsin.records.notification import Priority
from tocsin.settings import Apns
from tocsin.templates.push import MOST_BYTES, apns_payload

NAME: Final = "apns"
MAX_PAYLOAD: Final = MOST_BYTES
_KEEP_SECONDS: Final = 3 * 86_400
"""How long Apple may hold a push that has no expiry of its own."""

_GONE: Final = frozenset({"Unregistered", "ExpiredToken"})
_AGAIN: Final[dict[str, float | None]] = {
    "TooManyRequests": 60.0,  # too many to this device
    "TooManyProviderTokenUpdates": 60.0,
    "ExpiredProviderToken": 1.0,
    "IdleTimeout": 1.0,
    "InternalServerError": None,
    "ServiceUnavailable": None,
    "Shutdown": None,
}


class _Problem(msgspec.Struct, frozen=True):
    reason: str = ""


_decode = msgspec.json.Decoder(_Problem).decode
_encode = msgspec.json.Encoder().encode


def classify(status: int, body: bytes, header: str | None, now: datetime) -> SendError:
    """What Apple's refusal means. Pure; any body will do."""
    reason, wait = _reason(body), retry_after(header, now)
    if status == 410 or reason in _GONE:
        return AddressGone(reason or "Unregistered", NAME)
    if reason in _AGAIN:
        kind = ProviderDown if status >= 500 else Transient
        return kind(reason, NAME, _AGAIN[reason] if wait is None else wait)
    return by_status(status, reason, NAME, wait)


def _reason(body: bytes) -> str:
    try:
        return _decode(body).reason[:64]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


class PushApns:
    """One app (`apns.topic`)."""

    name = NAME

    def __init__(
        self, apns: Apns, client: Client, token: ApnsToken, clock: Clock | None = None
    ) -> None:
        self._base = apns.url.rstrip("/") + "/3/device/"
        self._client, self._token, self._clock = client, token, clock or SystemClock()
        self._fixed = {
            "apns-topic": apns.topic,
            "apns-push-type": "alert",
            "content-type": "application/json",
        }

    async def send(self, message: Message) -> Sent:
        """`provider_message_id` is the apns-id: ours, the same on every attempt at this device."""
        payload = _encode(payload_of(message))
        if len(payload) > MAX_PAYLOAD:
            raise Permanent("PayloadTooLarge", NAME)
        token = await self._token.get()
        headers = self._headers(message, token)
        device = message.address
        # a device token is hex; whatever else someone stored must not become a path
        url = self._base + (device if device.isalnum() else quote(device, safe=""))
        answer = await post(self._client, NAME, url, headers, payload)
        if answer.status == 200:
            return Sent(NAME, headers["apns-id"])
        body = bytes(await answer.bytes())
        error = classify(answer.status, body, answer.get_header("retry-after"), self._clock.now())
        if error.reason == "ExpiredProviderToken":
            await self._token.reject(token)
        raise error

    async def close(self) -> None:
        """Nothing of its own: the client is the process's."""

    def _headers(self, message: Message, token: str) -> dict[str, str]:
        low = message.priority is Priority.LOW
        expires = message.expires_at
        until = expires.timestamp() if expires else self._clock.now().timestamp() + _KEEP_SECONDS
        return self._fixed | {
            "authorization": f"bearer {token}",
            "apns-id": derived_id(message.delivery_id, message.address),
            "apns-priority": "5" if low else "10",
            "apns-expiration": str(int(until)),
            "apns-collapse-id": collapse_id(message),
        }


def payload_of(message: Message) -> dict[str, Any]:
    """The JSON Apple hands to the app."""
    return apns_payload(message.delivery_id, message.type, message.content)


def collapse_id(message: Message) -> str:
    """At most 64 bytes. There always is one, so that a repeated send replaces itself on the screen.

    A key of the producer's that would not fit a header is replaced by an id derived from it.
    """
    key = message.collapse_key or message.delivery_id
    return key if len(key) <= 64 and key.isascii() and key.isprintable() else derived_id(key)
