"""Form letters: what is filled in is what Tocsin would have sent."""

import json
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import pytest

from loadtest.bare_calls import addressee
from loadtest.blanks import Blank, Blanks
from loadtest.sandbox.credentials import Ports, ensure_credentials, publish
from loadtest.sandbox.smtp import describe, receipts
from loadtest.sandbox.smtp_session import Envelope
from tocsin.records import Channel, NotificationRequest
from tocsin.settings import Settings, load

WHO = addressee("5000001")
NAME = "bare:0192f3a0-1111-7222-8333-444455556666:push"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that point at a sandbox's credentials."""
    for name, value in publish(ensure_credentials(tmp_path), Ports(1, 2, 3)).items():
        monkeypatch.setenv(name, value)
    return load()


def _blank(settings: Settings, kind: str) -> Blank:
    request = NotificationRequest(
        notification_id="n1",
        user_id=WHO.profile.user_id,
        type="ORDER_CONFIRMATION",
        channels=(Channel.EMAIL if kind == "email" else Channel.PUSH,),
        data={"order": "536365", "total": "139.12", "currency": "GBP"},
    )
    return Blanks(settings).of(kind, request, WHO.profile)


def test_an_ios_payload_is_named(settings: Settings) -> None:
    payload = json.loads(_blank(settings, "ios").fill({"id": NAME.encode()}))
    assert payload["delivery_id"] == NAME
    assert "536365" in payload["aps"]["alert"]["title"]


def test_an_android_message_is_addressed_and_named(settings: Settings) -> None:
    filled = _blank(settings, "android").fill({"id": NAME.encode(), "address": b"abc:APA91b"})
    message = json.loads(filled)["message"]
    assert (message["token"], message["data"]["delivery_id"]) == ("abc:APA91b", NAME)


def test_a_text_is_addressed_and_its_callback_named(settings: Settings) -> None:
    quoted = quote_plus(quote_plus(NAME)).encode()
    filled = _blank(settings, "sms").fill({"id": quoted, "address": WHO.phone})
    form = dict(parse_qsl(filled.decode()))
    assert form["To"] == WHO.profile.phone
    assert parse_qs(urlsplit(form["StatusCallback"]).query)["delivery_id"] == [NAME]


def test_an_email_is_addressed_and_named_twice(settings: Settings) -> None:
    values = {"id": NAME.encode(), "id64": b"bmFtZQ", "address": WHO.email.encode()}
    filled = _blank(settings, "email").fill(values)
    (receipt,) = receipts(Envelope("", [WHO.email], filled), "q")
    assert (receipt.id, receipt.delivery_id) == ("bmFtZQ@tocsin.example", NAME)
    assert f"To: {WHO.email}\r\n".encode() in filled
    assert "536365" in describe(filled)["subject"]
