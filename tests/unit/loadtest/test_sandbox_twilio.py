"""Twilio's side: forms judged, parts counted."""

import base64
import json
from urllib.parse import urlencode

import pytest

from loadtest.sandbox.faults import Fault
from loadtest.sandbox.segments import segments
from loadtest.sandbox.twilio import Twilio, describe, faulted
from loadtest.sandbox.verdict import Verdict

NOW = 1_800_000_000.0
PATH = "/2010-04-01/Accounts/AC1/Messages.json"
FORM = {"To": "+12025550123", "From": "+15005550006", "Body": "Your code is 123456"}


def _basic(token: str = "secret") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"AC1:{token}".encode()).decode()}


def _judge(
    form: dict[str, str], headers: dict[str, str] | None = None, path: str = PATH
) -> Verdict:
    body = urlencode(form).encode()
    return Twilio("AC1", "secret").judge("POST", path, headers or _basic(), body, NOW)


def _code(verdict: Verdict) -> tuple[int, int]:
    error = json.loads(verdict.body)
    assert error["status"] == verdict.status
    assert error["more_info"].endswith(str(error["code"]))
    return verdict.status, error["code"]


def test_a_good_message_is_queued() -> None:
    callback = "https://shop.example/r?delivery_id=c1%3Asms&type=OTP"
    verdict = _judge(FORM | {"StatusCallback": callback})
    answer, receipt = json.loads(verdict.body), verdict.receipt
    assert verdict.status == 201
    assert (answer["status"], answer["num_segments"], answer["to"]) == ("queued", "1", FORM["To"])
    assert answer["sid"].startswith("SM")
    assert len(answer["sid"]) == 34
    assert receipt is not None
    assert receipt[:5] == ("twilio", FORM["To"], answer["sid"], "c1:sms", "OTP")
    assert describe(receipt.content) == {"from": FORM["From"], "text": FORM["Body"]}


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"To": ""}, (400, 21604)),
        ({"To": "12"}, (400, 21211)),
        ({"To": "+15005550001"}, (400, 21211)),
        ({"To": "+15005550004"}, (400, 21610)),
        ({"To": "+15005550009"}, (400, 21614)),
        ({"From": ""}, (400, 21603)),
        ({"From": "+15005550008"}, (429, 21611)),
        ({"From": "a name far too long"}, (400, 21212)),
        ({"Body": ""}, (400, 21602)),
        ({"Body": "x" * 1601}, (400, 21617)),
    ],
)
def test_a_bad_form_is_refused_with_twilios_code(
    change: dict[str, str], answer: tuple[int, int]
) -> None:
    assert _code(_judge(FORM | change)) == answer


def test_wrong_credentials_and_another_account_are_refused() -> None:
    assert _code(_judge(FORM, _basic("wrong"))) == (401, 20003)
    assert _code(_judge(FORM, path=PATH.replace("AC1", "AC2"))) == (404, 20404)


def test_a_fault_answers_as_twilio_would() -> None:
    assert _code(faulted(Fault("twilio", status=429), NOW)) == (429, 20429)
    assert _code(faulted(Fault("twilio", status=400, reason="21610"), NOW)) == (400, 21610)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted_as_they_go_on_the_air(text: str, parts: int) -> None:
    assert segments(text) == parts
