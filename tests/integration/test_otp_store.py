"""One-time passwords against a real store: accepted once, guessed never, seen by nobody."""

import asyncio

import pytest
from redis.asyncio import Redis

from tocsin.errors import ConfigError, Refused
from tocsin.records import Channel, OtpChallenge, encode
from tocsin.settings import Settings
from tocsin.store import otp as otp_module
from tocsin.store.otp import CHECKS_PER_CODE, FAILURES_TO_LOCK, OtpStore, Verdict

pytestmark = pytest.mark.integration
PHONE = "+4917012345678"


@pytest.fixture
def store(redis: Redis, store_settings: Settings) -> OtpStore:
    return OtpStore(redis, store_settings)


async def made(store: OtpStore, user: str = "u1", purpose: str = "login") -> OtpChallenge:
    return await store.create(user, Channel.SMS, purpose, PHONE)


async def code_of(store: OtpStore, challenge: OtpChallenge) -> str:
    found = (await store.deliverable([challenge.challenge_id]))[0]
    assert found is not None
    return found.code


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def refusal(store: OtpStore, user: str = "u1", purpose: str = "login") -> Refused:
    with pytest.raises(Refused) as caught:
        await made(store, user, purpose)
    return caught.value


@pytest.fixture
def _no_cooldown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cool-down goes by the server's clock: have none instead of waiting."""
    monkeypatch.setattr(otp_module, "COOLDOWN_SECONDS", 0)


async def test_the_right_code_is_accepted_once(store: OtpStore) -> None:
    challenge = await made(store)
    code = await code_of(store, challenge)
    assert len(code) == 6
    assert code.isdigit()
    assert await store.verify(challenge.challenge_id, code) is Verdict.VERIFIED
    assert await store.verify(challenge.challenge_id, code) is Verdict.WRONG


async def test_of_many_checks_at_once_one_wins(store: OtpStore) -> None:
    challenge = await made(store)
    code = await code_of(store, challenge)
    verdicts = await asyncio.gather(
        *(store.verify(challenge.challenge_id, code) for _ in range(20))
    )
    assert verdicts.count(Verdict.VERIFIED) == 1


async def test_a_code_survives_four_wrong_checks_and_not_five(store: OtpStore) -> None:
    challenge = await made(store)
    code = await code_of(store, challenge)
    checks = [await store.verify(challenge.challenge_id, other(code)) for _ in range(4)]
    assert checks == [Verdict.WRONG] * 4
    assert await store.verify(challenge.challenge_id, other(code)) is Verdict.EXHAUSTED
    assert await store.verify(challenge.challenge_id, code) is Verdict.WRONG
    assert await store.deliverable([challenge.challenge_id]) == [None]


async def test_checks_at_once_are_counted_one_by_one(store: OtpStore) -> None:
    challenge = await made(store)
    code = await code_of(store, challenge)
    guesses = [f"{(int(code) + 1 + i) % 10**6:06d}" for i in range(50)]
    await asyncio.gather(*(store.verify(challenge.challenge_id, guess) for guess in guesses))
    assert await store.verify(challenge.challenge_id, code) is Verdict.WRONG


async def test_a_second_code_within_the_cool_down_is_refused(store: OtpStore) -> None:
    await made(store)
    refused = await refusal(store)
    assert refused.code == "otp_cooldown"
    assert refused.retry_after is not None
    assert 29 < refused.retry_after <= 30


async def test_limits_are_per_account_and_purpose(store: OtpStore) -> None:
    await made(store)
    await made(store, purpose="payment")
    await made(store, user="u2")


@pytest.mark.usefixtures("_no_cooldown")
async def test_five_codes_unverified_are_the_most_in_ten_minutes(store: OtpStore) -> None:
    for _ in range(5):
        await made(store)
    refused = await refusal(store)
    assert refused.code == "otp_sends"
    assert refused.retry_after is not None
    assert 590 < refused.retry_after <= 600


async def test_a_success_clears_the_cool_down_and_the_count(store: OtpStore) -> None:
    for _ in range(12):
        challenge = await made(store)
        code = await code_of(store, challenge)
        assert await store.verify(challenge.challenge_id, code) is Verdict.VERIFIED


@pytest.mark.usefixtures("_no_cooldown")
async def test_a_new_code_replaces_the_old(store: OtpStore) -> None:
    old = await made(store)
    old_code = await code_of(store, old)
    new = await made(store)
    assert await store.verify(old.challenge_id, old_code) is Verdict.WRONG
    assert await store.deliverable([old.challenge_id]) == [None]
    assert await store.verify(new.challenge_id, await code_of(store, new)) is Verdict.VERIFIED


@pytest.mark.usefixtures("_no_cooldown")
async def test_a_hundred_failures_in_a_row_lock_the_account(
    store: OtpStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otp_module, "SENDS_PER_WINDOW", 1000)
    verdict, wrong = Verdict.WRONG, 0
    while verdict is not Verdict.LOCKED:
        challenge = await made(store)
        code = await code_of(store, challenge)
        for _ in range(CHECKS_PER_CODE):
            verdict = await store.verify(challenge.challenge_id, other(code))
            wrong += 1
    assert wrong == FAILURES_TO_LOCK
    assert (await refusal(store)).code == "otp_locked"
    assert (await refusal(store, purpose="payment")).code == "otp_locked"
    await store.forget("u1")
    await made(store)


async def test_a_success_ends_the_row_of_failures(store: OtpStore, redis: Redis) -> None:
    challenge = await made(store)
    code = await code_of(store, challenge)
    await store.verify(challenge.challenge_id, other(code))
    await store.verify(challenge.challenge_id, code)
    assert [key async for key in redis.scan_iter("otp:*")] == []


async def test_unknown_accounts_meet_the_same_answers(store: OtpStore) -> None:
    known = await made(store)
    unknown = await store.create("nobody", Channel.SMS, "login", None)
    assert len(known.challenge_id) == len(unknown.challenge_id)
    with pytest.raises(Refused, match="a moment ago"):
        await store.create("nobody", Channel.SMS, "login", None)
    verdicts = [await store.verify(unknown.challenge_id, "000000") for _ in range(5)]
    assert verdicts == [Verdict.WRONG] * 4 + [Verdict.EXHAUSTED]
    assert await store.deliverable([unknown.challenge_id]) == [None]


@pytest.mark.parametrize("challenge_id", ["", "x", "a.b.c", "ü" * 57, "x" * 500, "a\x00.b.c"])
async def test_an_id_that_never_was_is_just_wrong(
    store: OtpStore, redis: Redis, challenge_id: str
) -> None:
    assert await store.verify(challenge_id, "123456") is Verdict.WRONG
    assert await store.deliverable([challenge_id]) == [None]
    assert await redis.keys("otp:*") == []


async def test_a_challenge_withdrawn_leaves_no_cool_down(store: OtpStore) -> None:
    challenge = await made(store)
    await store.withdraw(challenge.challenge_id)
    again = await made(store)
    await store.withdraw(challenge.challenge_id)
    assert (await store.deliverable([again.challenge_id]))[0] is not None


async def test_deliverables_come_in_the_order_asked(store: OtpStore) -> None:
    challenges = [await made(store, user=f"u{i}") for i in range(3)]
    ids = [c.challenge_id for c in challenges]
    found = await store.deliverable([ids[2], "gone", ids[0]])
    assert found[1] is None
    assert await store.verify(ids[2], found[0].code if found[0] else "") is Verdict.VERIFIED
    assert await store.verify(ids[0], found[2].code if found[2] else "") is Verdict.VERIFIED


async def test_the_code_is_nowhere_to_be_read(store: OtpStore, redis: Redis) -> None:
    challenge = await made(store)
    found = (await store.deliverable([challenge.challenge_id]))[0]
    assert found is not None
    seen = [repr(found), str(found), encode(challenge).decode()]
    async for key in redis.scan_iter("otp:*"):
        kind = await redis.type(key)
        value = await (redis.hgetall(key) if kind == b"hash" else redis.lrange(key, 0, -1))
        seen.append(repr((key, value)))
    # a stored time may hold the digits by chance, a field of the code's length may not
    assert not any(f"'{found.code}'" in text or f"{found.code}," in text for text in seen)
    assert PHONE not in repr(found)


async def test_everything_kept_has_an_end(store: OtpStore, redis: Redis) -> None:
    challenge = await made(store)
    ends = {key: await redis.ttl(key) async for key in redis.scan_iter("otp:*")}
    assert sorted(ends.values()) == [300, 600]
    assert challenge.expires_at is not None


async def test_another_secret_opens_nothing(
    store: OtpStore, redis: Redis, store_settings: Settings
) -> None:
    changed = store_settings.model_copy(
        update={"otp_secret": type(store_settings.otp_secret)("another-pepper-0123456789")}
    )
    challenge = await made(store)
    code = await code_of(store, challenge)
    stranger = OtpStore(redis, changed)
    assert await stranger.deliverable([challenge.challenge_id]) == [None]
    assert await stranger.verify(challenge.challenge_id, code) is Verdict.WRONG


async def test_a_missing_secret_stops_the_start(redis: Redis) -> None:
    with pytest.raises(ConfigError, match="TOCSIN_OTP_SECRET"):
        OtpStore(redis, Settings())
