"""One-time passwords over HTTP: the code goes to the person, and nowhere else."""

from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import KafkaTimeoutError

from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Client
from tocsin.records import Channel, OtpChallenge, decode
from tocsin.topics import OTP

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

ADA = {
    "user_id": "ada",
    "phone": "+4917012345678",
    "devices": {"d": {"platform": "ios", "token": "0123456789abcdef"}},
}


@pytest.fixture(autouse=True)
async def _people(shop: Client) -> None:
    await shop("POST", "/v1/users:batch", [ADA, {"user_id": "bea"}])


async def ask(shop: Client, **body: str) -> str:
    answer = await shop("POST", "/v1/otp", {"user_id": "ada", "purpose": "login"} | body)
    assert answer.status == 202
    assert set(answer.json) == {"challenge_id", "expires_at"}
    return str(answer.json["challenge_id"])


async def code_of(services: Services, challenge: str) -> str:
    (found,) = await services.otp.deliverable([challenge])
    assert found is not None
    return found.code


async def test_a_code_is_asked_for_and_given_back_once(
    shop: Client, services: Services, log: Log
) -> None:
    await log.since(OTP)
    challenge = await ask(shop)
    ((key, value),) = await log.read(1)
    assert key == b"ada"
    assert value is not None
    record = decode(OtpChallenge, value)
    assert (record.challenge_id, record.channel) == (challenge, Channel.SMS)
    assert record.accepted_at is not None
    code = await code_of(services, challenge)
    assert code.encode() not in value.replace(challenge.encode(), b"").split(b'"')
    body = {"challenge_id": challenge, "code": code}
    right = await shop("POST", "/v1/otp/verify", body)
    assert (right.status, right.json) == (200, {"verified": True})
    used = await shop("POST", "/v1/otp/verify", body)
    assert (used.status, used.code) == (422, "otp_wrong")


async def test_wrong_codes_are_told_from_too_many(shop: Client, services: Services) -> None:
    challenge = await ask(shop)
    wrong = f"{(int(await code_of(services, challenge)) + 1) % 10**6:06d}"
    body = {"challenge_id": challenge, "code": wrong}
    answers = [(await shop("POST", "/v1/otp/verify", body)).code for _ in range(6)]
    assert answers == ["otp_wrong"] * 4 + ["otp_exhausted", "otp_wrong"]


async def test_asking_again_at_once_is_refused_with_the_time_to_wait(shop: Client) -> None:
    await ask(shop)
    answer = await shop("POST", "/v1/otp", {"user_id": "ada", "purpose": "login"})
    assert (answer.status, answer.code) == (429, "otp_cooldown")
    assert answer.headers["retry-after"] == "30"


async def test_after_a_success_one_may_ask_at_once(shop: Client, services: Services) -> None:
    for _ in range(7):
        challenge = await ask(shop)
        body = {"challenge_id": challenge, "code": await code_of(services, challenge)}
        assert (await shop("POST", "/v1/otp/verify", body)).status == 200


@pytest.mark.parametrize("user", ["nobody", "bea"])
async def test_somebody_unreachable_looks_like_anybody(
    shop: Client, services: Services, log: Log, user: str
) -> None:
    await log.since(OTP)
    challenge = await ask(shop, user_id=user)
    assert len(await log.read(1)) == 1
    assert await services.otp.deliverable([challenge]) == [None]
    again = await shop("POST", "/v1/otp", {"user_id": user, "purpose": "login"})
    assert (again.status, again.code) == (429, "otp_cooldown")


async def test_a_code_by_push_goes_to_the_newest_device(shop: Client, services: Services) -> None:
    challenge = await ask(shop, channel="push")
    (found,) = await services.otp.deliverable([challenge])
    assert found is not None
    assert (found.channel, found.recipient) == (Channel.PUSH, "ios:0123456789abcdef")


@pytest.mark.parametrize("channel", ["email", "inapp"])
async def test_channels_that_are_no_second_factor_are_refused(shop: Client, channel: str) -> None:
    answer = await shop("POST", "/v1/otp", {"user_id": "ada", "channel": channel})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "#/channel")


async def test_when_kafka_does_not_take_it_one_may_ask_at_once(
    shop: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(services.producer, "send", AsyncMock(side_effect=KafkaTimeoutError))
        assert (await shop("POST", "/v1/otp", {"user_id": "ada"})).status == 503
    assert (await shop("POST", "/v1/otp", {"user_id": "ada"})).status == 202


@pytest.mark.parametrize("code", ["12345", "12345678901", "abcdef", "１２３４５６"])
async def test_what_cannot_be_a_code_is_not_checked(
    shop: Client, services: Services, code: str
) -> None:
    challenge = await ask(shop)
    for _ in range(6):
        answer = await shop("POST", "/v1/otp/verify", {"challenge_id": challenge, "code": code})
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "#/code")
    body = {"challenge_id": challenge, "code": await code_of(services, challenge)}
    assert (await shop("POST", "/v1/otp/verify", body)).status == 200


async def test_an_operator_lifts_a_lock(shop: Client, services: Services) -> None:
    account = services.otp._crypto.account("ada")
    await services.redis.set(f"otp:{{{account}}}:failures", 100)
    locked = await shop("POST", "/v1/otp", {"user_id": "ada"})
    assert (locked.status, locked.code) == (423, "otp_locked")
    assert (await shop("DELETE", "/v1/users/ada/otp-lock")).status == 204
    assert (await shop("POST", "/v1/otp", {"user_id": "ada"})).status == 202
