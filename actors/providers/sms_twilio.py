"""SMS by Twilio's Messages resource: one form a message."""

import base64
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
from pyreqwest.client import Client

from actors.message import Message, Sent
from actors.providers.answers import by_status, retry_after
from actors.providers.http import post
from tocsin.clock import Clock, SystemClock
from tocsin.errors import AddressGone, Permanent, ProviderDown, SendError, Transient
from tocsin.settings import Twilio

NAME: Final = "twilio"
MAX_BODY: Final = 1_600
_MAX_VALIDITY: Final = 36_000
_API: Final = "2010-04-01"

_GONE: Final = frozenset({21610, 30005, 30006})
"""Opted out by STOP; unknown handset; a landline or a carrier that cannot be reached."""

_AGAIN: Final = frozenset({20429, 21611, 30001, 30003})


class _Problem(msgspec.Struct, frozen=True):
    code: int = 0


class _Created(msgspec.Struct, frozen=True):
    sid: str = ""


_decode_problem = msgspec.json.Decoder(_Problem).decode
_decode_created = msgspec.json.Decoder(_Created).decode


def classify(status: int, body: bytes, header: str | None, now: datetime) -> SendError:
    """What Twilio's refusal means. Pure; any body will do."""
    code, wait = _code(body), retry_after(header, now)
    if code in _GONE:
        return AddressGone(str(code), NAME)
    if code in _AGAIN:
        kind = ProviderDown if status >= 500 else Transient
        return kind(str(code), NAME, wait)
    return by_status(status, str(code) if code else "", NAME, wait)


def _code(body: bytes) -> int:
    try:
        return _decode_problem(body).code
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0


class SmsTwilio:
    """One account and sender. Receipts come to `public_url`."""

    name = NAME

    def __init__(
        self, twilio: Twilio, public_url: str, client: Client, clock: Clock | None = None
    ) -> None:
        sid = twilio.account_sid
        self._url = f"{twilio.url.rstrip('/')}/{_API}/Accounts/{sid}/Messages.json"
        pair = f"{sid}:{twilio.auth_token.get_secret_value()}".encode()
        self._headers = {
            "authorization": f"Basic {base64.b64encode(pair).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        }
        # a messaging service (MG…) picks a number; anything else is the number or name itself
        who = "MessagingServiceSid" if twilio.sender.startswith("MG") else "From"
        self._sender = (who, twilio.sender)
        self._callback = f"{public_url.rstrip('/')}/v1/receipts/twilio?"
        self._client, self._clock = client, clock or SystemClock()

    async def send(self, message: Message) -> Sent:
        """`provider_message_id` is the message's SID."""
        if len(message.content.body) > MAX_BODY:
            raise Permanent("21617", NAME)
        form = urlencode(form_of(message, self._sender, self._callback, self._clock.now()))
        answer = await post(self._client, NAME, self._url, self._headers, form.encode())
        body = bytes(await answer.bytes())
        if answer.status in (200, 201):
            return Sent(NAME, _sid(body))
        header = answer.get_header("retry-after")
        raise classify(answer.status, body, header, self._clock.now())

    async def close(self) -> None:
        """Nothing of its own: the client is the process's."""


def form_of(
    message: Message, sender: tuple[str, str], callback: str, now: datetime
) -> list[tuple[str, str]]:
    """The fields of the POST. `ValidityPeriod` keeps Twilio from sending what is over."""
    named = urlencode({"delivery_id": message.delivery_id, "type": message.type})
    form = [
        ("To", message.address),
        sender,
        ("Body", message.content.body),
        ("StatusCallback", callback + named),
    ]
    if message.expires_at:
        left = int((message.expires_at - now).total_seconds())
        form.append(("ValidityPeriod", str(min(max(left, 1), _MAX_VALIDITY))))
    return form


def _sid(body: bytes) -> str:
    """A message accepted in words nobody can read is still accepted."""
    try:
        return _decode_created(body).sid
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
