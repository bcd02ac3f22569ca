"""Form letters for the bare loop: Tocsin's own messages, rendered once, with gaps for what differs.

So the bare loop sends what Tocsin would send, byte for byte as long, without rendering it.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from pyfcm import FCMNotification

from actors.message import Message
from actors.providers.fcm_token import service_credentials
from actors.providers.mime import mail_of
from actors.providers.push_apns import payload_of
from actors.providers.push_fcm import android_of
from actors.providers.sms_twilio import form_of
from tocsin.records import Channel, Delivery, NotificationRequest, Profile
from tocsin.settings import Settings
from tocsin.templates import Renderer

_ID: Final = "deliveryidmark".ljust(47, "0")
_ADDRESS: Final = "addressmark@customers.example"
_ID_BYTES: Final = _ID.encode()
_GAPS: Final = {
    _ID_BYTES: "id",
    _ADDRESS.encode(): "address",
    urlencode({"": _ADDRESS})[1:].encode(): "address",
    urlsafe_b64encode(_ID_BYTES).rstrip(b"="): "id64",
}
_MARKS: Final = re.compile(b"|".join(map(re.escape, _GAPS)))


class Blank:
    """Bytes with gaps."""

    def __init__(self, marked: bytes) -> None:
        self._texts = _MARKS.split(marked)
        self._names = [_GAPS[mark] for mark in _MARKS.findall(marked)]

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The whole. `values` has `id`, `id64` and `address`, each escaped as its place needs."""
        parts = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            parts += (values[name], text)
        return b"".join(parts)


class Blanks:
    """One form letter per type and kind of call, made from the first request that needs it."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._renderer = settings, Renderer(settings)
        assert settings.fcm.credentials_file
        credentials: Any = service_credentials(settings.fcm.credentials_file)
        self._fcm = FCMNotification(credentials=credentials, project_id=credentials.project_id)
        self.fcm_path = self._fcm.fcm_end_point.removeprefix("https://fcm.googleapis.com")
        self._made: dict[tuple[str, str], Blank] = {}

    def of(self, kind: str, request: NotificationRequest, profile: Profile) -> Blank:
        """The form letter of this request's type; `kind` is ios, android, sms or email."""
        if (made := self._made.get((kind, request.type))) is None:
            made = Blank(self._marked(kind, request, profile))
            self._made[kind, request.type] = made
        return made

    def _marked(self, kind: str, request: NotificationRequest, profile: Profile) -> bytes:
        now = datetime.now(UTC)
        message = self._message(request, profile, now)
        match kind:
            case "ios":
                return msgspec.json.encode(payload_of(message))
            case "android":
                return self._android(message, now)
            case "sms":
                sender, public = self._settings.twilio.sender, self._settings.public_url
                callback = f"{public.rstrip('/')}/v1/receipts/twilio?"
                return urlencode(form_of(message, ("From", sender), callback, now)).encode()
        return mail_of(message, self._settings.smtp.sender, now.timestamp())

    def _message(self, request: NotificationRequest, profile: Profile, now: datetime) -> Message:
        delivery = Delivery(
            notification_id=request.notification_id,
            user_id=request.user_id,
            channel=request.channels[0] if request.channels else Channel.PUSH,
            type=request.type,
            category="transactional",
            template_id=request.template_id or request.type,
            data=request.data,
            accepted_at=now,
        )
        content = self._renderer.render(delivery, profile)
        return Message(_ID, request.type, _ADDRESS, content, request.priority)

    def _android(self, message: Message, now: datetime) -> bytes:
        data = {"delivery_id": _ID, "type": message.type, "link": message.content.link}
        payload: bytes = self._fcm.parse_payload(
            fcm_token=_ADDRESS,
            notification_title=message.content.title,
            notification_body=message.content.body,
            data_payload=data,
            android_config=android_of(message, now),
        )
        return payload
