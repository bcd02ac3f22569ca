"""The OTP lane on a real store: the code goes to the provider and nowhere else."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from actors.otp_lane import OtpLane
from actors.providers.fake import FakeProvider
from tocsin.errors import Ambiguous, SendError, Transient
from tocsin.records import Channel, OtpChallenge, State, encode
from tocsin.settings import Settings
from tocsin.store import SendResult
from tocsin.store.otp import OtpStore, Verdict

pytestmark = pytest.mark.integration
_results = msgspec.json.Decoder(list[SendResult]).decode


class Bench:
    """Lanes that share a store and a provider."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self.settings, self.store = settings, OtpStore(redis, settings)
        self.provider = FakeProvider("twilio")
        self.open: list[OtpLane] = []
        self.results = b""

    async def challenge(self, user: str = "u1") -> OtpChallenge:
        return await self.store.create(user, Channel.SMS, "login", "+447700900123")

    async def send(
        self, *challenges: OtpChallenge, lane: OtpLane | None = None
    ) -> list[SendResult]:
        lane = lane or self.lane()
        self.results = await lane.send(encode(list(challenges)))
        return _results(self.results)

    def lane(self) -> OtpLane:
        lane = OtpLane(self.settings, make=lambda *_: {"sms": self.provider}, chance=lambda: 0.0)
        self.open.append(lane)
        return lane

    def code(self) -> str:
        return self.provider.accepted[-1].content.body[:6]


@pytest.fixture
async def bench(
    store_settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    monkeypatch.setattr("actors.otp_lane._BACKOFF", (0.001, 0.001))
    made = Bench(store_settings, redis)
    yield made
    for lane in made.open:
        await lane.close()


async def test_the_code_that_arrives_is_the_one_that_verifies(bench: Bench) -> None:
    challenge = await bench.challenge()
    (result,) = await bench.send(challenge)
    assert result.delivery_id == f"{challenge.challenge_id}:sms"
    assert (result.state, result.provider) == (State.DELIVERED, "twilio")
    # a hash of the words would tell the code to whoever tries all of them
    assert (result.destination, result.content_hash, result.data_hash) == ("+44770", 0, 0)
    assert await bench.store.verify(challenge.challenge_id, bench.code()) is Verdict.VERIFIED


async def test_the_same_code_is_tried_again_and_then_no_more(bench: Bench) -> None:
    errors: list[SendError] = [Ambiguous("cut"), Transient("busy")]
    bench.provider.fault = lambda _: errors.pop(0) if errors else None
    (result,) = await bench.send(await bench.challenge())
    assert result.state is State.DELIVERED
    bench.provider.fault = lambda _: Transient("busy")
    (result,) = await bench.send(await bench.challenge("u2"))
    assert (result.state, result.reason) == (State.FAILED, "busy")


async def test_a_challenge_read_again_is_not_sent_again(bench: Bench) -> None:
    challenge = await bench.challenge()
    first = await bench.send(challenge)
    assert await bench.send(challenge, challenge) == first * 2
    assert len(bench.provider.accepted) == 1


async def test_a_code_that_is_over_used_or_replaced_stays_home(bench: Bench) -> None:
    used, late = await bench.challenge("u1"), await bench.challenge("u2")
    over = replace(late, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    await bench.store.withdraw(used.challenge_id)
    results = await bench.send(used, over)
    assert [r.state for r in results] == [State.CANCELLED, State.EXPIRED]
    assert not bench.provider.accepted


async def test_the_code_is_in_no_log_and_no_result(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await bench.send(await bench.challenge("u1"))
    code, results = bench.code(), [bench.results]
    bench.provider.accept_first = True
    bench.provider.fault = lambda m: ValueError(m.content.body)
    await bench.send(await bench.challenge("u2"))
    for secret, said in ((code, results[0]), (bench.code(), bench.results)):
        assert secret.isdigit()
        assert secret not in caplog.text
        assert secret.encode() not in said
