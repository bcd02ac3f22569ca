"""Apple's side: which request gets which answer."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from loadtest.sandbox.apns import Apns, describe, faulted
from loadtest.sandbox.faults import Fault
from loadtest.sandbox.provider_token import MAX_UPDATES, ProviderTokens
from loadtest.sandbox.verdict import Verdict

NOW = 1_800_000_000.0
KEY = ec.generate_private_key(ec.SECP256R1())
TOKEN = "ab" * 32
PAYLOAD = b'{"aps":{"alert":{"title":"T","body":"B"}},"delivery_id":"n1:push","type":"OTP"}'
APNS_ID = "0192F3A0-1111-7222-8333-444455556666"


def _bearer(
    issued: float = NOW,
    team: str = "TEAM123456",
    kid: str = "KEY1234567",
    key: ec.EllipticCurvePrivateKey = KEY,
) -> str:
    claims = {"iss": team, "iat": int(issued)}
    return "bearer " + jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})


GOOD = {"authorization": _bearer(), "apns-topic": "shop.app", "apns-id": APNS_ID}


def _apns() -> Apns:
    return Apns(ProviderTokens(KEY.public_key(), "KEY1234567", "TEAM123456"), "shop.app")


def _judge(
    headers: dict[str, str], token: str = TOKEN, body: bytes = PAYLOAD, method: str = "POST"
) -> Verdict:
    return _apns().judge(method, f"/3/device/{token}", headers, body, NOW)


def _reason(verdict: Verdict) -> tuple[int, str]:
    assert verdict.receipt is None
    return verdict.status, json.loads(verdict.body)["reason"]


def test_a_good_push_is_accepted_under_its_own_id() -> None:
    verdict = _judge(GOOD | {"apns-collapse-id": "c1", "apns-push-type": "alert"})
    assert (verdict.status, verdict.headers, verdict.body) == (200, [("apns-id", APNS_ID)], b"")
    assert verdict.receipt == ("apns", TOKEN, APNS_ID, "n1:push", "OTP", PAYLOAD, "c1")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"authorization": None}, (403, "MissingProviderToken")),
        ({"authorization": "bearer rubbish"}, (403, "InvalidProviderToken")),
        ({"authorization": _bearer(kid="OTHER")}, (403, "InvalidProviderToken")),
        ({"authorization": _bearer(team="OTHER")}, (403, "InvalidProviderToken")),
        ({"authorization": _bearer(NOW + 600)}, (403, "InvalidProviderToken")),
        ({"authorization": _bearer(NOW - 3601)}, (403, "ExpiredProviderToken")),
        (
            {"authorization": _bearer(key=ec.generate_private_key(ec.SECP256R1()))},
            (403, "InvalidProviderToken"),
        ),
        ({"apns-topic": None}, (400, "MissingTopic")),
        ({"apns-topic": "other.app"}, (400, "DeviceTokenNotForTopic")),
        ({"apns-id": "7"}, (400, "BadMessageId")),
        ({"apns-push-type": "loud"}, (400, "InvalidPushType")),
        ({"apns-priority": "11"}, (400, "BadPriority")),
        ({"apns-expiration": "soon"}, (400, "BadExpirationDate")),
        ({"apns-collapse-id": "x" * 65}, (400, "BadCollapseId")),
    ],
)
def test_headers_are_refused_with_apples_reason(
    change: dict[str, str | None], answer: tuple[int, str]
) -> None:
    headers = {name: value for name, value in (GOOD | change).items() if value is not None}
    assert _reason(_judge(headers)) == answer


@pytest.mark.parametrize(
    ("token", "body", "answer"),
    [
        ("", PAYLOAD, (400, "MissingDeviceToken")),
        ("ab" * 31, PAYLOAD, (400, "BadDeviceToken")),
        ("zz" * 32, PAYLOAD, (400, "BadDeviceToken")),
        ("deadbeef" * 8, PAYLOAD, (410, "Unregistered")),
        (TOKEN, b"", (400, "PayloadEmpty")),
        (TOKEN, b'{"aps":', (400, "PayloadEmpty")),
        (TOKEN, b'{"aps":{"alert":"' + b"x" * 4096 + b'"}}', (413, "PayloadTooLarge")),
    ],
)
def test_tokens_and_payloads_are_refused_with_apples_reason(
    token: str, body: bytes, answer: tuple[int, str]
) -> None:
    assert _reason(_judge(GOOD, token, body)) == answer


def test_a_dead_token_comes_with_the_time_it_died() -> None:
    assert json.loads(_judge(GOOD, "deadbeef" * 8).body)["timestamp"] == NOW * 1000


def test_only_post_is_taken() -> None:
    assert _reason(_judge(GOOD, method="GET")) == (405, "MethodNotAllowed")


def test_a_remembered_token_still_expires() -> None:
    apns = _apns()
    path = f"/3/device/{TOKEN}"
    assert apns.judge("POST", path, GOOD, PAYLOAD, NOW).status == 200
    assert apns.judge("POST", path, GOOD, PAYLOAD, NOW + 3600).status == 200
    late = apns.judge("POST", path, GOOD, PAYLOAD, NOW + 3601)
    assert _reason(late) == (403, "ExpiredProviderToken")


def test_a_token_per_connection_is_one_update_too_many() -> None:
    tokens = ProviderTokens(KEY.public_key(), "KEY1234567", "TEAM123456")
    for made in range(MAX_UPDATES):
        assert tokens.refusal({"authorization": _bearer(NOW - made)}, NOW) == ""
    late = {"authorization": _bearer(NOW - MAX_UPDATES)}
    assert tokens.refusal(late, NOW) == "TooManyProviderTokenUpdates"
    assert tokens.refusal({"authorization": _bearer(NOW)}, NOW) == "TooManyProviderTokenUpdates"
    assert tokens.refusal(late, NOW + 1201) == ""


def test_a_fault_answers_as_apple_would() -> None:
    verdict = faulted(Fault("apns", status=429, retry_after=7), NOW)
    assert _reason(verdict) == (429, "TooManyRequests")
    assert ("retry-after", "7") in verdict.headers
    assert _reason(faulted(Fault("apns", status=410, reason="ExpiredToken"), NOW)) == (
        410,
        "ExpiredToken",
    )


def test_a_person_reads_title_and_body() -> None:
    assert describe(PAYLOAD) == {"title": "T", "body": "B"}
    assert describe(b'{"aps":{"alert":"short"}}') == {"title": "", "body": "short"}
