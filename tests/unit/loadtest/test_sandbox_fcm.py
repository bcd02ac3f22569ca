"""Google's side: tokens granted, messages judged."""

import json
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from loadtest.sandbox.faults import Fault
from loadtest.sandbox.fcm import Fcm, describe, faulted
from loadtest.sandbox.oauth import OAuth
from loadtest.sandbox.verdict import Verdict

NOW = 1_800_000_000.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EMAIL, AUDIENCE = "shop@project.example", "http://127.0.0.1:1/token"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
CLAIMS = {"iss": EMAIL, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 3600, "scope": SCOPE}
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SEND = "/v1/projects/shop/messages:send"


def _oauth(secret: bytes = b"secret") -> OAuth:
    return OAuth(KEY.public_key(), EMAIL, [AUDIENCE], secret)


def _grant(claims: dict[str, Any], grant_type: str = GRANT, now: float = NOW) -> Verdict:
    assertion = jwt.encode(claims, KEY, algorithm="RS256")
    form = urlencode({"grant_type": grant_type, "assertion": assertion})
    return _oauth().grant("POST", form.encode(), now)


def _bearer() -> dict[str, str]:
    return {"authorization": f"Bearer {json.loads(_grant(CLAIMS).body)['access_token']}"}


def _send(message: dict[str, Any], **more: Any) -> Verdict:
    body = json.dumps({"message": message} | more).encode()
    return Fcm(_oauth(), "shop").judge("POST", SEND, _bearer(), body, NOW)


def _error(verdict: Verdict) -> tuple[int, str]:
    error = json.loads(verdict.body)["error"]
    assert verdict.receipt is None
    assert error["code"] == verdict.status
    return verdict.status, error["details"][0]["errorCode"]


def test_a_granted_token_lasts_an_hour_and_outlives_a_restart() -> None:
    answer = json.loads(_grant(CLAIMS).body)
    headers = {"authorization": f"Bearer {answer['access_token']}"}
    assert answer["expires_in"] == 3600
    assert _oauth().valid(headers, NOW + 3599)
    assert not _oauth().valid(headers, NOW + 3600)
    assert not _oauth(b"another sandbox").valid(headers, NOW)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"iss": "somebody@else.example"}, "invalid_grant"),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"exp": NOW + 7200}, "invalid_grant"),
        ({"iat": NOW - 4000, "exp": NOW - 400}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
    ],
)
def test_a_bad_assertion_is_refused(change: dict[str, Any], error: str) -> None:
    verdict = _grant(CLAIMS | change)
    assert (verdict.status, json.loads(verdict.body)["error"]) == (400, error)


def test_another_grant_type_is_refused() -> None:
    verdict = _grant(CLAIMS, grant_type="password")
    assert json.loads(verdict.body)["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer x", "Bearer ya29.1.2.3", "Basic ya29.99999999999.1.é"]
)
def test_a_send_without_a_granted_token_is_unauthenticated(authorization: str) -> None:
    headers = {"authorization": authorization}
    verdict = Fcm(_oauth(), "shop").judge("POST", SEND, headers, b"{}", NOW)
    assert verdict.status == 401
    assert json.loads(verdict.body)["error"]["status"] == "UNAUTHENTICATED"


def test_a_good_message_is_accepted_and_named() -> None:
    data = {"delivery_id": "n1:push", "type": "REVIEW"}
    verdict = _send(
        {
            "token": "abc:APA91b-x_1",
            "notification": {"title": "T", "body": "B"},
            "data": data,
            "android": {"ttl": "60s", "priority": "HIGH", "collapse_key": "c"},
        }
    )
    receipt = verdict.receipt
    assert receipt is not None
    assert json.loads(verdict.body) == {"name": f"projects/shop/messages/{receipt.id}"}
    assert receipt[:2] == ("fcm", "abc:APA91b-x_1")
    assert (receipt.delivery_id, receipt.type, receipt.collapse_id) == ("n1:push", "REVIEW", "c")
    assert describe(receipt.content) == {"title": "T", "body": "B", "data": data}


def test_a_dry_run_is_judged_and_not_accepted() -> None:
    verdict = _send({"token": "abc:APA91b"}, validate_only=True)
    assert (verdict.status, verdict.receipt, verdict.reason) == (200, None, "")
    assert _send({"token": "x"}, validate_only=True).status == 400


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({}, (400, "INVALID_ARGUMENT")),
        ({"token": "abc:APA91b", "topic": "news"}, (400, "INVALID_ARGUMENT")),
        ({"token": "no good"}, (400, "INVALID_ARGUMENT")),
        ({"token": "abc:APA91b", "data": {"n": 1}}, (400, "INVALID_ARGUMENT")),
        ({"token": "abc:APA91b", "data": {"x": "y" * 4096}}, (400, "INVALID_ARGUMENT")),
        ({"token": "abc:APA91b", "android": {"ttl": "2419201s"}}, (400, "INVALID_ARGUMENT")),
        ({"token": "unregistered-1"}, (404, "UNREGISTERED")),
        ({"token": "othersender-1"}, (403, "SENDER_ID_MISMATCH")),
    ],
)
def test_a_bad_message_is_refused_with_fcms_code(
    message: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert _error(_send(message)) == answer


def test_broken_json_and_another_project_are_refused() -> None:
    fcm = Fcm(_oauth(), "shop")
    assert _error(fcm.judge("POST", SEND, _bearer(), b"{", NOW)) == (400, "INVALID_ARGUMENT")
    other = fcm.judge("POST", SEND.replace("shop", "other"), _bearer(), b"{}", NOW)
    assert (other.status, other.reason) == (403, "PERMISSION_DENIED")


def test_a_fault_answers_as_google_would() -> None:
    verdict = faulted(Fault("fcm", status=429, retry_after=30), NOW)
    assert _error(verdict) == (429, "QUOTA_EXCEEDED")
    assert ("retry-after", "30") in verdict.headers
    assert _error(faulted(Fault("fcm", status=503), NOW)) == (503, "UNAVAILABLE")
