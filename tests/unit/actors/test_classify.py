"""Every vendor's refusals, as design/providers.md has them; and no answer there is breaks one."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyfcm import FCMNotification

from actors.providers import email_smtp, push_apns, push_fcm, sms_twilio
from tests.unit.actors.makers import NOW
from tocsin.errors import AddressGone, Ambiguous, Permanent, ProviderDown, SendError, Transient

FCM = FCMNotification(credentials=object(), project_id="p")
Classify = Callable[[int, bytes, str | None], SendError]


def apns(status: int, body: bytes, header: str | None = None) -> SendError:
    return push_apns.classify(status, body, header, NOW)


def fcm(status: int, body: bytes, header: str | None = None) -> SendError:
    return push_fcm.classify(FCM, status, body, header, NOW)


def twilio(status: int, body: bytes, header: str | None = None) -> SendError:
    return sms_twilio.classify(status, body, header, NOW)


def _apns(reason: str) -> bytes:
    return msgspec.json.encode({"reason": reason})


def _fcm(code: str, status: str = "X") -> bytes:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    return msgspec.json.encode({"error": {"status": status, "details": [detail]}})


@pytest.mark.parametrize(
    ("status", "reason", "kind", "wait"),
    [
        (410, "Unregistered", AddressGone, None),
        (410, "ExpiredToken", AddressGone, None),
        (400, "BadDeviceToken", Permanent, None),
        (400, "DeviceTokenNotForTopic", Permanent, None),
        (403, "InvalidProviderToken", Permanent, None),
        (403, "ExpiredProviderToken", Transient, 1),
        (413, "PayloadTooLarge", Permanent, None),
        (429, "TooManyRequests", Transient, 60),
        (429, "TooManyProviderTokenUpdates", Transient, 60),
        (500, "InternalServerError", ProviderDown, None),
        (503, "Shutdown", ProviderDown, None),
        (418, "SomethingNew", Permanent, None),
        (599, "SomethingNew", ProviderDown, None),
    ],
)
def test_apns(status: int, reason: str, kind: type[SendError], wait: float | None) -> None:
    error = apns(status, _apns(reason))
    assert type(error) is kind
    assert error.reason == reason
    assert getattr(error, "retry_after", None) == wait


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait"),
    [
        (404, _fcm("UNREGISTERED"), AddressGone, None),
        (404, b'{"error":{"status":"NOT_FOUND"}}', Permanent, None),  # a wrong project, not a token
        (404, b"<html>", Permanent, None),
        (400, _fcm("INVALID_ARGUMENT"), Permanent, None),
        (401, b'{"error":{"status":"UNAUTHENTICATED"}}', Permanent, None),
        (403, _fcm("SENDER_ID_MISMATCH"), Permanent, None),
        (429, _fcm("QUOTA_EXCEEDED"), Transient, 60),
        (500, _fcm("INTERNAL"), ProviderDown, 10),
        (503, _fcm("UNAVAILABLE"), ProviderDown, 10),
        (418, b"", Permanent, None),
    ],
)
def test_fcm(status: int, body: bytes, kind: type[SendError], wait: float | None) -> None:
    error = fcm(status, body)
    assert type(error) is kind
    assert getattr(error, "retry_after", None) == wait


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21610, AddressGone),
        (400, 30005, AddressGone),
        (400, 30006, AddressGone),
        (400, 21211, Permanent),
        (400, 30007, Permanent),
        (401, 20003, Permanent),
        (429, 20429, Transient),
        (429, 21611, Transient),
        (400, 30001, Transient),
        (400, 30003, Transient),
        (400, 99999, Permanent),
        (503, 99999, ProviderDown),
    ],
)
def test_twilio(status: int, code: int, kind: type[SendError]) -> None:
    error = twilio(status, msgspec.json.encode({"code": code, "message": "m", "status": status}))
    assert type(error) is kind
    assert error.reason == str(code)


@pytest.mark.parametrize(
    ("stage", "code", "text", "kind"),
    [
        ("rcpt", 550, "5.1.1 No such mailbox", AddressGone),
        ("rcpt", 550, "No such mailbox", AddressGone),
        ("rcpt", 550, "5.7.1 Refused by policy", Permanent),
        ("rcpt", 452, "4.2.2 Mailbox full", Transient),
        ("rcpt", 451, "4.7.1 Greylisted", Transient),
        ("mail", 553, "5.1.8 Bad sender", Permanent),
        ("data", 554, "5.6.0 Content refused", Permanent),
        ("data", 454, "4.7.0 Too many", Transient),
        ("data", -1, "gibberish", Ambiguous),
        ("mail", -1, "gibberish", ProviderDown),
        ("connect", 535, "5.7.8 Bad credentials", ProviderDown),
        ("connect", 421, "busy", ProviderDown),
        ("mail", 421, "4.3.2 Shutting down", ProviderDown),
        ("rcpt", 452, "4.3.1 Insufficient storage", ProviderDown),
    ],
)
def test_smtp(stage: str, code: int, text: str, kind: type[SendError]) -> None:
    assert type(email_smtp.classify(stage, code, text)) is kind


def test_an_smtp_reason_quotes_no_address() -> None:
    error = email_smtp.classify("rcpt", 550, "5.1.1 <anna@example.com> unknown")
    assert error.reason == "550 5.1.1"


@pytest.mark.parametrize("classify", [apns, fcm, twilio])
@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7), ("99999", 300), ("Sun, 22 Nov 2026 12:00:09 GMT", 9)]
)
def test_a_429_waits_as_long_as_it_says(classify: Classify, header: str, wait: float) -> None:
    error = classify(429, b"", header)
    assert isinstance(error, Transient)
    assert error.retry_after == wait


BODIES = st.one_of(
    st.binary(max_size=80),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["reason", "error", "details", "errorCode", "code", "status"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    ).map(msgspec.json.encode),
)


@pytest.mark.parametrize("classify", [apns, fcm, twilio])
@given(status=st.integers(201, 599), body=BODIES, header=st.none() | st.text(max_size=10))
def test_any_answer_has_a_meaning(
    classify: Classify, status: int, body: bytes, header: str | None
) -> None:
    error: Any = classify(status, body, header)
    assert isinstance(error, (Transient, Permanent))
    if status >= 500 and not isinstance(error, AddressGone):
        assert isinstance(error, Transient)
    if isinstance(error, Transient) and error.retry_after is not None:
        assert 0 <= error.retry_after <= 300


@given(st.sampled_from(["connect", "mail", "rcpt", "data"]), st.integers(-1, 999), st.text())
def test_any_smtp_reply_has_a_meaning(stage: str, code: int, text: str) -> None:
    error = email_smtp.classify(stage, code, text)
    assert isinstance(error, (Transient, Permanent, Ambiguous))
    assert not (isinstance(error, Ambiguous) and stage != "data")
