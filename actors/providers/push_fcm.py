"""Push to Android and the web: pyfcm's payloads and error classes over our pooled client.

pyfcm's own sending is not used: it opens a pool per message, sleeps on Retry-After and crashes on a
date in it (measured; README).
"""

import re
from datetime import datetime
from typing import Any, Final

import msgspec
from pyfcm import FCMNotification
from pyfcm.errors import FCMError, FCMNotRegisteredError, FCMServerError
from pyreqwest.client import Client
from pyreqwest.response import Response

from actors.message import Message, Sent
from actors.providers.answers import by_status, retry_after
from actors.providers.fcm_token import FcmToken
from actors.providers.http import post
from tocsin.clock import Clock, SystemClock
from tocsin.errors import AddressGone, Permanent, ProviderDown, SendError, Transient
from tocsin.ids import derived_id
from tocsin.records.notification import Priority
from tocsin.settings import Fcm

NAME: Final = "fcm"
MAX_PAYLOAD: Final = 4_096
_MAX_TTL: Final = 2_419_200
_QUOTA_WAIT: Final = 60.0
_SERVER_WAIT: Final = 10.0
_GOOGLE = re.compile(r"^https://[^/]+")


class _Detail(msgspec.Struct, frozen=True):
    errorCode: str = ""


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    details: list[_Detail] = []


class _Problem(msgspec.Struct, frozen=True):
    error: _Error = _Error()


_decode = msgspec.json.Decoder(_Problem).decode


class _Answer:
    """What pyfcm's `parse_response` looks at, and nothing else."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code, self.headers = status, {"content-length": str(len(body))}
        self.text = body.decode("utf-8", "replace")
        self._body = body

    def json(self) -> Any:
        return msgspec.json.decode(self._body)


def classify(
    fcm: FCMNotification, status: int, body: bytes, header: str | None, now: datetime
) -> SendError:
    """What Google's refusal means. Pure; any body will do.

    429, 5xx and Retry-After come before pyfcm, which would sleep. A 404 removes the token only
    when it says UNREGISTERED: a wrong project is a 404 too.
    """
    code, wait = _code(body), retry_after(header, now)
    if status == 429:
        return Transient(code or "QUOTA_EXCEEDED", NAME, _QUOTA_WAIT if wait is None else wait)
    if status >= 500:
        return ProviderDown(
            code or f"status {status}", NAME, _SERVER_WAIT if wait is None else wait
        )
    if status == 404 and code != "UNREGISTERED":
        return Permanent(code or "NOT_FOUND", NAME)
    try:
        fcm.parse_response(_Answer(status, body))
    except FCMNotRegisteredError:
        return AddressGone(code, NAME)
    except FCMServerError:
        return by_status(status, code, NAME, wait)
    except FCMError as error:
        return Permanent(code or type(error).__name__, NAME)
    return Permanent(f"status {status}", NAME)


def _code(body: bytes) -> str:
    """FCM's errorCode, else Google's status word."""
    try:
        error = _decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    codes = [detail.errorCode for detail in error.details if detail.errorCode]
    return (codes[0] if codes else error.status)[:64]


class PushFcm:
    """One Firebase project, named by its service account."""

    name = NAME

    def __init__(
        self, fcm: Fcm, client: Client, credentials: Any, clock: Clock | None = None
    ) -> None:
        """`credentials` are google-auth's; see `fcm_token.service_credentials`."""
        self._fcm = FCMNotification(credentials=credentials, project_id=credentials.project_id)
        self._url = _GOOGLE.sub(fcm.url.rstrip("/"), self._fcm.fcm_end_point)
        self._token = FcmToken(credentials, fcm.ca_file)
        self._client, self._clock = client, clock or SystemClock()

    async def send(self, message: Message) -> Sent:
        """`provider_message_id` is the last part of Google's message name."""
        body = self._payload(message)
        token = await self._token.get()
        answer = await self._post(token, body)
        if answer.status == 401:
            # a refused token was not accepted for anything: one more try with a new one is safe
            self._token.reject(token)
            answer = await self._post(await self._token.get(), body)
        content = bytes(await answer.bytes())
        if answer.status == 200:
            return Sent(NAME, _name(content))
        header = answer.get_header("retry-after")
        raise classify(self._fcm, answer.status, content, header, self._clock.now())

    async def close(self) -> None:
        """Close the token endpoint's session; the client is the process's."""
        self._token.close()

    async def _post(self, token: str, body: bytes) -> Response:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return await post(self._client, NAME, self._url, headers, body)

    def _payload(self, message: Message) -> bytes:
        content = message.content
        payload: bytes = self._fcm.parse_payload(
            fcm_token=message.address,
            notification_title=content.title or None,
            notification_body=content.body,
            data_payload={
                "delivery_id": message.delivery_id,
                "type": message.type,
                "link": content.link,
            },
            android_config=android_of(message, self._clock.now()),
        )
        if len(payload) > MAX_PAYLOAD + len(message.address) + 512:
            raise Permanent("message too big", NAME)
        return payload


def android_of(message: Message, now: datetime) -> dict[str, Any]:
    """Urgency, lifetime and what a repetition replaces.

    `tag` always: a repeated send then replaces itself on the screen. `collapse_key` only on
    request: FCM keeps at most four different ones for a device that is offline.
    """
    low = message.priority is Priority.LOW
    tag = derived_id(message.collapse_key or message.delivery_id)
    config: dict[str, Any] = {"priority": "NORMAL" if low else "HIGH", "notification": {"tag": tag}}
    if message.expires_at:
        left = int((message.expires_at - now).total_seconds())
        config["ttl"] = f"{min(max(left, 0), _MAX_TTL)}s"
    if message.collapse_key:
        config["collapse_key"] = message.collapse_key
    return config


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


_decode_named = msgspec.json.Decoder(_Named).decode


def _name(body: bytes) -> str:
    """`projects/p/messages/<id>`. A message accepted in words nobody can read is still accepted."""
    try:
        return _decode_named(body).name.rpartition("/")[2]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
