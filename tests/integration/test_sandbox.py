"""The sandbox, spoken to by the clients that speak to the real providers."""

import json
import ssl
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import jwt
import pytest
import requests
from aiosmtplib import SMTP, SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from pyfcm import FCMNotification
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import Response

pytestmark = pytest.mark.integration
DEVICE, ANDROID, PHONE = "ab" * 32, "fmv5:APA91bHun4MxP5egoKMwt2KZFBaFUH", "+12025550123"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


class Sandbox(NamedTuple):
    """The sandbox's addresses, and clients as a sender would have them."""

    env: dict[str, str]
    http2: Client
    plain: Client

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        request = self.plain.request(method, self.env["TOCSIN_SANDBOX_URL"] + path)
        if body is not None:
            request = request.body_json(body)
        answer = await request.build().send()
        assert answer.status in (200, 204), await answer.text()
        return await answer.json() if answer.status == 200 else None

    async def journal(self, query: str = "") -> list[dict[str, Any]]:
        page = await self.control("GET", f"/sandbox/journal{query}")
        return list(page["receipts"])

    async def fault(self, **fault: Any) -> None:
        await self.control("PUT", "/sandbox/faults", fault)

    async def push(self, device: str = DEVICE, **headers: str) -> Response:
        all_headers = {
            "authorization": f"bearer {self.provider_token()}",
            "apns-topic": self.env["TOCSIN_APNS_TOPIC"],
            "apns-push-type": "alert",
        }
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        alert = {"title": "Back in stock", "body": "White heart"}
        payload = {"aps": {"alert": alert}, "delivery_id": "n1:push", "type": "BACK_IN_STOCK"}
        url = f"{self.env['TOCSIN_APNS_URL']}/3/device/{device}"
        return await self.http2.post(url).headers(all_headers).body_json(payload).build().send()

    def provider_token(self) -> str:
        key = Path(self.env["TOCSIN_APNS_KEY_FILE"]).read_text()
        # ES256 signatures differ each time: the same minute's token is made once
        claims = {"iss": self.env["TOCSIN_APNS_TEAM_ID"], "iat": int(time.time())}
        headers = {"kid": self.env["TOCSIN_APNS_KEY_ID"]}
        return _TOKENS.setdefault(key, jwt.encode(claims, key, algorithm="ES256", headers=headers))

    async def text(self, body: str, delivery_id: str = "n1:sms", to: str = PHONE) -> Response:
        env = self.env
        callback = f"https://shop.example/receipts?delivery_id={delivery_id}&type=OTP"
        form = {"To": to, "From": env["TOCSIN_TWILIO_SENDER"], "Body": body}
        sid = env["TOCSIN_TWILIO_ACCOUNT_SID"]
        url = f"{env['TOCSIN_TWILIO_URL']}/2010-04-01/Accounts/{sid}/Messages.json"
        request = self.http2.post(url).basic_auth(sid, env["TOCSIN_TWILIO_AUTH_TOKEN"])
        kind = "application/x-www-form-urlencoded"
        encoded = urlencode(form | {"StatusCallback": callback})
        return await request.header("content-type", kind).body_text(encoded).build().send()

    def smtp(self) -> SMTP:
        host, _, port = self.env["TOCSIN_SMTP_URL"].removeprefix("smtp://").partition(":")
        return SMTP(hostname=host, port=int(port), timeout=10)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


_TOKENS: dict[str, str] = {}


@pytest.fixture
async def sandbox(sandbox_env: dict[str, str]) -> AsyncIterator[Sandbox]:
    """The session's sandbox with an empty journal and no faults."""
    ca = _read(sandbox_env["TOCSIN_APNS_CA_FILE"])
    wait = timedelta(seconds=10)
    builder = ClientBuilder().add_root_certificate_pem(ca).http2(True).timeout(wait)
    async with builder.build() as http2, ClientBuilder().timeout(wait).build() as plain:
        found = Sandbox(sandbox_env, http2, plain)
        await found.control("DELETE", "/sandbox/faults")
        await found.control("DELETE", "/sandbox/journal")
        yield found


def _mail(subject: str = "Your order", to: str = "jo@customers.example") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Shop <shop@tocsin.example>", to, subject
    mail["Message-ID"] = "<n1-email@tocsin.example>"
    mail["X-Tocsin-Delivery-Id"], mail["X-Tocsin-Type"] = "n1:email", "ORDER_CONFIRMATION"
    mail.set_content("Thank you.\n.\nA line with a dot above.\n")
    mail.add_alternative("<p>Thank you.</p>", subtype="html")
    return mail


async def test_apns_takes_a_push_over_http2(sandbox: Sandbox) -> None:
    apns_id = str(uuid.uuid4())
    answer = await sandbox.push(apns_id=apns_id, apns_collapse_id="order-1")
    assert (answer.status, answer.version, answer.get_header("apns-id")) == (
        200, "HTTP/2.0", apns_id,
    )  # fmt: skip
    (receipt,) = await sandbox.journal()
    assert time.time() - receipt.pop("received_at") < 60
    assert receipt.pop("bytes") > 0
    assert receipt.pop("sequence") > 0
    assert receipt == {
        "provider": "apns", "recipient": DEVICE, "id": apns_id, "delivery_id": "n1:push",
        "type": "BACK_IN_STOCK", "collapse_id": "order-1", "title": "Back in stock",
        "body": "White heart",
    }  # fmt: skip


async def test_apns_refuses_as_apple_does(sandbox: Sandbox) -> None:
    bad = await sandbox.push(authorization="bearer nonsense")
    gone = await sandbox.push("deadbeef" * 8)
    assert (bad.status, await bad.json()) == (403, {"reason": "InvalidProviderToken"})
    assert (gone.status, (await gone.json())["reason"]) == (410, "Unregistered")
    summary = await sandbox.control("GET", "/sandbox/journal/summary")
    assert summary["rejected_reasons"] == {"apns": {"InvalidProviderToken": 1, "Unregistered": 1}}
    assert await sandbox.journal() == []


async def test_the_certificate_is_good_for_its_own_ca_only(sandbox: Sandbox) -> None:
    async with ClientBuilder().http2(True).timeout(timedelta(seconds=10)).build() as stranger:
        with pytest.raises(PyreqwestError):
            await stranger.get(sandbox.env["TOCSIN_APNS_URL"]).build().send()
    ssl.create_default_context(cafile=sandbox.env["TOCSIN_APNS_CA_FILE"])


async def test_fcm_takes_pyfcms_payload_with_google_auths_token(sandbox: Sandbox) -> None:
    credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        sandbox.env["TOCSIN_FCM_CREDENTIALS_FILE"], scopes=[SCOPE]
    )
    with requests.Session() as session:
        credentials.refresh(Request(session))
    fcm = FCMNotification(credentials=credentials, project_id="tocsin-sandbox")
    data = {"delivery_id": "n2:push", "type": "REVIEW"}
    payload = fcm.parse_payload(ANDROID, "A title", "A body", data_payload=data)
    path = fcm.fcm_end_point.removeprefix("https://fcm.googleapis.com")

    async def send(body: bytes) -> Response:
        url = sandbox.env["TOCSIN_FCM_URL"] + path
        request = sandbox.http2.post(url).bearer_auth(credentials.token).body_bytes(body)
        return await request.build().send()

    answer = await send(payload)
    (receipt,) = await sandbox.journal("?provider=fcm")
    assert (answer.status, answer.version) == (200, "HTTP/2.0")
    assert await answer.json() == {"name": f"projects/tocsin-sandbox/messages/{receipt['id']}"}
    assert (receipt["recipient"], receipt["delivery_id"]) == (ANDROID, "n2:push")
    assert (receipt["type"], receipt["title"], receipt["body"]) == ("REVIEW", "A title", "A body")
    dry = await send(fcm.parse_payload(ANDROID, "A title", "A body", dry_run=True))
    gone = await send(fcm.parse_payload("unregistered-1", "A title", "A body"))
    assert dry.status == 200
    assert (await gone.json())["error"]["details"][0]["errorCode"] == "UNREGISTERED"
    assert len(await sandbox.journal()) == 1


async def test_twilio_queues_a_text_and_the_phone_shows_it(sandbox: Sandbox) -> None:
    answer = await sandbox.text("Your code is 123456")
    created = await answer.json()
    assert (answer.status, created["status"], created["num_segments"]) == (201, "queued", "1")
    for number in (PHONE, "%2B12025550123"):
        page = await sandbox.control("GET", f"/sandbox/phones/{number}?wait=5")
        (message,) = page["messages"]
        assert (message["text"], message["type"]) == ("Your code is 123456", "OTP")
    (receipt,) = await sandbox.journal()
    assert (receipt["id"], receipt["delivery_id"]) == (created["sid"], "n1:sms")
    refused = await sandbox.text("Hello", to="+15005550004")
    assert (refused.status, (await refused.json())["code"]) == (400, 21610)


async def test_smtp_takes_mail_on_a_kept_connection(sandbox: Sandbox) -> None:
    async with sandbox.smtp() as smtp:
        assert smtp.supports_extension("pipelining")
        await smtp.send_message(_mail())
        with pytest.raises(SMTPRecipientsRefused):
            await smtp.send_message(_mail(to="bounce@customers.example"))
        await smtp.send_message(_mail("Grüße aus Zürich"))
    first, second = await sandbox.journal("?provider=smtp")
    assert (first["id"], first["delivery_id"]) == ("n1-email@tocsin.example", "n1:email")
    assert first["text"] == "Thank you.\n.\nA line with a dot above.\n"
    assert (first["recipient"], first["type"]) == ("jo@customers.example", "ORDER_CONFIRMATION")
    assert second["subject"] == "Grüße aus Zürich"
    summary = await sandbox.control("GET", "/sandbox/journal/summary")
    assert (summary["duplicates"], summary["duplicate_ids"]) == (1, ["n1:email"])


async def test_a_status_fault_hits_until_it_is_deleted(sandbox: Sandbox) -> None:
    await sandbox.fault(provider="apns", status=429, retry_after=3)
    hit = await sandbox.push()
    assert (hit.status, hit.get_header("retry-after")) == (429, "3")
    assert (await hit.json())["reason"] == "TooManyRequests"
    await sandbox.fault(provider="smtp", status=451)
    async with sandbox.smtp() as smtp:
        with pytest.raises(SMTPDataError, match="451"):
            await smtp.send_message(_mail())
    listed = await sandbox.control("GET", "/sandbox/faults")
    assert [fault["hits"] for fault in listed["faults"]] == [1, 1]
    await sandbox.control("DELETE", "/sandbox/faults?provider=apns")
    assert (await sandbox.push()).status == 200


async def test_reset_after_accept_journals_and_answers_nothing(sandbox: Sandbox) -> None:
    await sandbox.push()
    for provider in ("apns", "twilio", "smtp"):
        await sandbox.fault(provider=provider, reset_after_accept=True)
    with pytest.raises(PyreqwestError):
        await sandbox.push()
    with pytest.raises(PyreqwestError):
        await sandbox.text("Lost?")
    with pytest.raises(SMTPServerDisconnected):
        async with sandbox.smtp() as smtp:
            await smtp.send_message(_mail())
    providers = [receipt["provider"] for receipt in await sandbox.journal()]
    assert providers == ["apns", "apns", "twilio", "smtp"]
    await sandbox.control("DELETE", "/sandbox/faults")
    assert (await sandbox.push()).status == 200


async def test_a_late_answer_is_late_and_its_message_already_there(sandbox: Sandbox) -> None:
    await sandbox.fault(provider="twilio", latency_ms=300)
    start = time.monotonic()
    assert (await sandbox.text("Patience")).status == 201
    assert time.monotonic() - start >= 0.3
    (receipt,) = await sandbox.journal()
    assert receipt["received_at"] <= time.time() - 0.3


async def test_control_speaks_plain_http_only_and_providers_but_apns_too(sandbox: Sandbox) -> None:
    tls, plain = sandbox.env["TOCSIN_APNS_URL"], sandbox.env["TOCSIN_SANDBOX_URL"]
    ca = _read(sandbox.env["TOCSIN_APNS_CA_FILE"])
    async with ClientBuilder().add_root_certificate_pem(ca).http1_only().build() as old:
        answer = await old.post(f"{tls}/3/device/{DEVICE}").build().send()
        assert (answer.status, answer.version) == (426, "HTTP/1.1")
    assert (await sandbox.http2.get(f"{tls}/sandbox/journal").build().send()).status == 404
    assert (await sandbox.plain.post(f"{plain}/3/device/{DEVICE}").build().send()).status == 404
    denied = (
        await sandbox.plain.post(f"{plain}/v1/projects/tocsin-sandbox/messages:send").build().send()
    )
    assert denied.status == 401
    answer = await sandbox.plain.get(f"{plain}/sandbox/journal?limit=-1").build().send()
    assert (answer.status, json.loads(await answer.text())["field"]) == (422, "limit")
