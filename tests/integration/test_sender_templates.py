"""Senders, the OTP lane and the shard say the version they are told to, from the store's view."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from actors.otp_lane import OtpLane
from actors.providers.fake import FakeProvider
from actors.sender import Sender
from actors.shard import ConnectionShard
from tests.unit.actors.makers import delivery, profile
from tests.unit.tocsin.templates.makers import record, template
from tocsin.records import (
    Channel,
    Delivery,
    DeliveryBatch,
    State,
    Template,
    Variable,
    Words,
    encode,
)
from tocsin.records.template import Note, Sms
from tocsin.settings import Settings
from tocsin.store import Profiles, SendResult, Templates, keys
from tocsin.store.inbox import Inbox
from tocsin.store.otp import OtpStore

pytestmark = pytest.mark.integration
_results = msgspec.json.Decoder(list[SendResult]).decode

GREETING = template("GREETING", 1, 2)


@pytest.fixture
async def templates(redis: Redis) -> Templates:
    await Profiles(redis).put(profile(locale="de"))
    made = Templates(redis)
    await made.put(GREETING)
    return made


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider("twilio")


@pytest.fixture
async def sender(
    store_settings: Settings, provider: FakeProvider, templates: Templates
) -> AsyncIterator[Sender]:
    kinds = {"sms": provider}
    made = Sender(store_settings, Channel.SMS, "sender-sms-0", make=lambda *_: kinds)
    await made.start()
    yield made
    await made.close()


def greeting(number: int | str, version: int = 1, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "channel": Channel.SMS, "template_id": "GREETING", "template_version": version,
        "data": {"who": "Ada"}, "expires_at": None,
    }  # fmt: skip
    return delivery(number, **fields | changes)


async def send(sender: Sender, *deliveries: Delivery) -> list[SendResult]:
    return _results(await sender.send(encode(DeliveryBatch(list(deliveries)))))


async def test_each_delivery_is_said_in_its_own_version(
    sender: Sender, provider: FakeProvider
) -> None:
    batch = [greeting(n, 1 + n % 2) for n in range(20)]
    assert {r.state for r in await send(sender, *batch)} == {State.DELIVERED}
    said = {m.delivery_id: m.content.body for m in provider.accepted}
    assert said == {d.delivery_id: f"v{d.template_version}: hello Ada" for d in batch}


async def test_a_batch_asks_the_store_once_and_the_next_one_not_at_all(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []
    get_many = Templates.get_many

    async def counted(self: Templates, template_ids: Sequence[str]) -> list[Template | None]:
        asked.append(template_ids)
        return await get_many(self, template_ids)

    monkeypatch.setattr(Templates, "get_many", counted)
    await send(sender, *(greeting(n) for n in range(50)), greeting("other", 2))
    assert asked == [["GREETING"]]
    await send(sender, *(greeting(f"again{n}") for n in range(50)))
    assert len(asked) == 1


async def test_a_version_that_is_missing_is_waited_for_and_then_sent(
    sender: Sender, provider: FakeProvider, templates: Templates
) -> None:
    missing, there = await send(sender, greeting(1, 3), greeting(2, 1))
    assert (missing.state, missing.reason) == (State.RETRY, "template_missing")
    assert there.state is State.DELIVERED
    await templates.put(replace(GREETING, versions=(*GREETING.versions, record(3)), revision=9))
    (again,) = await send(sender, greeting(1, 3, attempt=2))
    assert again.state is State.DELIVERED
    assert provider.accepted[-1].content.body == "v3: hello Ada"


async def test_a_version_in_hand_is_said_though_the_view_is_lost(
    sender: Sender, redis: Redis
) -> None:
    await send(sender, greeting(1))
    await redis.flushall()
    await redis.set(keys.STORE_READY, "rebuilt")
    await Profiles(redis).put(profile())
    (result,) = await send(sender, greeting(2))
    assert result.state is State.DELIVERED


async def test_no_message_goes_out_half_filled(sender: Sender, provider: FakeProvider) -> None:
    results = await send(sender, greeting(1, data={}), greeting(2, data={"who": None}))
    assert {(r.state, r.reason) for r in results} == {(State.FAILED, "missing variable: who")}
    assert not provider.accepted


async def test_the_shard_says_it_too(
    store_settings: Settings, redis: Redis, templates: Templates
) -> None:
    words = {"en": Words(push=Note("en", "en")), "de": Words(push=Note("Titel", "{{ who }}!"))}
    await templates.put(Template("NOTE", (record(locales=words),), revision=1))
    settings = store_settings.model_copy(update={"ws_port": 0})
    shard = ConnectionShard(settings, "a")
    note = {"channel": Channel.INAPP, "template_id": "NOTE"}
    batch = [greeting(1, 1, **note), greeting(2, 2, **note), greeting(3, 1, channel=Channel.INAPP)]
    results = _results(await shard.deliver(encode(DeliveryBatch(batch))))
    assert [(r.state, r.reason) for r in results] == [
        (State.DELIVERED, ""), (State.RETRY, "template_missing"), (State.FAILED, "no_words"),
    ]  # fmt: skip
    (entry,) = (await Inbox(redis).page("u1")).entries
    assert b'"title":"Titel","body":"Ada!"' in entry.item
    await shard.stop()


async def test_codes_are_said_in_the_shops_words_and_never_wait_for_them(
    store_settings: Settings, redis: Redis, templates: Templates, provider: FakeProvider
) -> None:
    own = record(
        variables={"code": Variable()},
        locales={"en": Words(sms=Sms("{{ code }} en")), "de": Words(sms=Sms("{{ code }} de"))},
    )
    await templates.put(Template("OTP", (own,), revision=1))
    store = OtpStore(redis, store_settings)
    lane = OtpLane(store_settings, make=lambda *_: {"sms": provider})
    challenges = []
    for number, (user, version) in enumerate((("a", 1), ("b", 7), ("c", 0))):
        made = await store.create(user, Channel.SMS, "login", f"+44770090012{number}")
        challenges.append(replace(made, template_version=version, locale="de-CH"))
    results = _results(await lane.send(encode(challenges)))
    assert {r.state for r in results} == {State.DELIVERED}
    said = {m.delivery_id: m.content.body for m in provider.accepted}
    endings = [said[f"{c.challenge_id}:sms"][6:16] for c in challenges]
    assert endings == [" de", " is your T", " is your T"]
    await lane.close()
