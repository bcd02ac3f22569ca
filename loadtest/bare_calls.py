"""The bare loop's provider calls: the same requests as Tocsin's providers make, nothing else."""

import base64
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote_plus, urlsplit

import jwt
from aiosmtplib import SMTP
from pyreqwest.client import Client
from pyreqwest.http import HeaderMap

from actors.providers.fcm_token import FcmToken, service_credentials
from actors.providers.http import make_client
from actors.providers.mime import envelope_sender
from loadtest.blanks import Blanks
from loadtest.people import person
from tocsin.records import Channel, NotificationRequest, Profile
from tocsin.settings import Settings

_PEOPLE: Final = 200_000


class Addressee(NamedTuple):
    """A person's addresses, ready to go into a call."""

    profile: Profile
    platform: str
    device: str
    phone: bytes
    email: str


@lru_cache(maxsize=_PEOPLE)
def addressee(user_id: str) -> Addressee:
    """The person with this id, by their first device."""
    profile = person(user_id)
    device = next(iter(profile.devices.values()))
    assert profile.phone
    assert profile.email
    phone = quote_plus(profile.phone).encode()
    return Addressee(profile, device.platform, device.token, phone, profile.email)


class Calls:
    """Sends one request by one call. Shared by all workers, but for the SMTP connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        groups = (settings.apns, settings.fcm, settings.twilio)
        self._client: Client = make_client(group.ca_file for group in groups)
        self._blanks = Blanks(settings)
        self._apns_url = f"{settings.apns.url}/3/device/"
        self._fcm_url = f"{settings.fcm.url}{self._blanks.fcm_path}"
        sid = settings.twilio.account_sid
        self._twilio_url = f"{settings.twilio.url}/2010-04-01/Accounts/{sid}/Messages.json"
        self._sender = f"FROM:<{envelope_sender(settings.smtp.sender)}>".encode()
        self._apns_headers = self._apns()
        self._twilio_headers = self._twilio()
        self._fcm_headers = HeaderMap()

    async def log_in(self) -> None:
        """Get FCM's access token, good for an hour."""
        assert self._settings.fcm.credentials_file
        credentials = service_credentials(self._settings.fcm.credentials_file)
        token = FcmToken(credentials, self._settings.fcm.ca_file)
        bearer = f"Bearer {await token.get()}"
        token.close()
        headers = {"authorization": bearer, "content-type": "application/json"}
        self._fcm_headers = HeaderMap(headers)

    def _apns(self) -> HeaderMap:
        apns = self._settings.apns
        assert apns.key_file
        claims, headers = {"iss": apns.team_id, "iat": int(time.time())}, {"kid": apns.key_id}
        token = jwt.encode(claims, apns.key_file.read_text(), algorithm="ES256", headers=headers)
        fixed = {
            "authorization": f"bearer {token}",
            "apns-topic": apns.topic,
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int(time.time()) + 86_400),
            "content-type": "application/json",
        }
        return HeaderMap(fixed)

    def _twilio(self) -> HeaderMap:
        twilio = self._settings.twilio
        pair = f"{twilio.account_sid}:{twilio.auth_token.get_secret_value()}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
        kind = "application/x-www-form-urlencoded"
        return HeaderMap({"authorization": authorization, "content-type": kind})

    async def connect_smtp(self) -> SMTP:
        """A kept-open connection for one worker."""
        url = urlsplit(self._settings.smtp.url)
        smtp = SMTP(hostname=url.hostname or "127.0.0.1", port=url.port or 25, timeout=20)
        await smtp.connect()
        await smtp.ehlo()
        return smtp

    async def send(self, request: NotificationRequest, smtp: SMTP) -> bool:
        """Make the one call of this request's one channel; whether the provider took it."""
        channel, who = request.channels[0], addressee(request.user_id)
        # not Tocsin's own delivery id: the journal must not take the one for the other
        delivery_id = f"bare:{request.notification_id}:{channel}"
        if channel is Channel.EMAIL:
            return await self._email(request, who, delivery_id.encode(), smtp)
        if channel is Channel.SMS:
            return await self._sms(request, who, delivery_id)
        if who.platform == "ios":
            return await self._ios(request, who, delivery_id.encode())
        return await self._android(request, who, delivery_id.encode())

    async def _ios(self, request: NotificationRequest, who: Addressee, name: bytes) -> bool:
        body = self._blanks.of("ios", request, who.profile).fill({"id": name})
        call = self._client.post(self._apns_url + who.device).headers(self._apns_headers)
        call.header("apns-id", request.notification_id).header("apns-collapse-id", name.decode())
        return (await call.body_bytes(body).build().send()).status == 200

    async def _android(self, request: NotificationRequest, who: Addressee, name: bytes) -> bool:
        blank = self._blanks.of("android", request, who.profile)
        body = blank.fill({"id": name, "address": who.device.encode()})
        return await self._post(self._fcm_url, self._fcm_headers, body)

    async def _sms(self, request: NotificationRequest, who: Addressee, name: str) -> bool:
        blank = self._blanks.of("sms", request, who.profile)
        # the callback's query is quoted once in its URL and once in the form
        quoted = quote_plus(quote_plus(name)).encode()
        body = blank.fill({"id": quoted, "address": who.phone})
        return await self._post(self._twilio_url, self._twilio_headers, body)

    async def _post(self, url: str, headers: HeaderMap, body: bytes) -> bool:
        answer = await self._client.post(url).headers(headers).body_bytes(body).build().send()
        return answer.status < 300

    async def _email(
        self, request: NotificationRequest, who: Addressee, name: bytes, smtp: SMTP
    ) -> bool:
        id64 = urlsafe_b64encode(name).rstrip(b"=")
        values = {"id": name, "id64": id64, "address": who.email.encode()}
        mail = self._blanks.of("email", request, who.profile).fill(values)
        # aiosmtplib's mail() and rcpt() parse the address anew each time: 30 µs of a message
        await smtp.execute_command(b"MAIL", self._sender)
        await smtp.execute_command(b"RCPT", b"TO:<%b>" % who.email.encode())
        code, _ = await smtp.data(mail)
        return code == 250

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._client.close()
