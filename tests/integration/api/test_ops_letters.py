"""Dead letters over HTTP: what is listed, what is put back, and that it is known afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from api.app import create_app
from api.services import Services
from tests.unit.api.asgi import Client
from tocsin.dead import letters
from tocsin.kafka import PLACE_HEADER
from tocsin.log import read_all
from tocsin.records import DeadLetter, encode
from tocsin.settings import Settings
from tocsin.tokens import SCOPES
from tocsin.topics import DEAD, INVENTORY, REQUESTS

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
BATCH = f"{REQUESTS.name}:1:7"


@pytest.fixture
async def services(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> AsyncIterator[Services]:
    made = Services.over(settings, redis, producer)
    yield made
    await made.desk.close()


@pytest.fixture
async def other(services: Services, settings: Settings) -> AsyncIterator[Services]:
    """Another API process."""
    made = Services.over(settings, services.redis, services.producer)
    yield made
    await made.desk.close()


async def bury(
    producer: AIOKafkaProducer, topic: str, partition: int, offset: int, payload_b64: str = "e30=",
    **more: str,
) -> None:  # fmt: skip
    """A letter on its topic, as streams write it."""
    letter = DeadLetter(topic, partition, offset, "Invalid", "missing", payload_b64, NOW, **more)  # type: ignore[arg-type]
    await producer.send_and_wait(DEAD.name, encode(letter), key=f"{topic}:{offset}".encode())


async def test_letters_are_listed_put_back_and_known_to_be(
    shop: Client,
    settings: Settings,
    producer: AIOKafkaProducer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert (await shop("GET", "/v1/ops/dead-letters")).json == {"letters": [], "cursor": None}
    for index in (0, 1):  # one record with two bad requests in it
        await bury(producer, REQUESTS.name, 1, 7, field=f"requests[{index}].user_id")
    await bury(producer, INVENTORY.name, 0, 3, "/wD+")
    await producer.send_and_wait(DEAD.name, b"somebody else's")

    listed = (await shop("GET", "/v1/ops/dead-letters")).json["letters"]
    assert sorted(x["place"] for x in listed) == [f"{INVENTORY.name}:0:3", BATCH, BATCH]
    (stock,) = (await shop("GET", f"/v1/ops/dead-letters?topic={INVENTORY.name}")).json["letters"]
    assert stock["binary"] is True
    assert next(x for x in listed if x["place"] == BATCH)["payload"] == "{}"

    assert (await shop("GET", "/v1/ops/dead-letters?limit=2")).json["letters"] == listed[:2]
    cursor = (await shop("GET", "/v1/ops/dead-letters?limit=2")).json["cursor"]
    rest = (await shop("GET", f"/v1/ops/dead-letters?limit=2&cursor={cursor}")).json
    assert rest == {"letters": listed[2:], "cursor": None}

    done = await shop("POST", "/v1/ops/dead-letters:replay", {"places": [BATCH, BATCH]})
    assert done.json == {"put_back": 1}
    assert f"shop put 1 dead letters back: {BATCH}" in caplog.text
    records = [r async for r in read_all(settings, REQUESTS)]
    assert [(r.partition, r.value, dict(r.headers)[PLACE_HEADER]) for r in records] == [
        (1, b"{}", BATCH.encode())
    ], "one record, though two letters are about it"

    left = (await shop("GET", "/v1/ops/dead-letters")).json["letters"]
    assert [x["place"] for x in left] == [f"{INVENTORY.name}:0:3"]
    everything = (await shop("GET", "/v1/ops/dead-letters?status=all")).json["letters"]
    assert len([x for x in everything if x["put_back_at"]]) == 2
    noted = [x for x in await letters(settings) if x.topic == REQUESTS.name]
    assert all(x.put_back_at for x in noted), "`tocsin dlq` knows too"


async def test_a_place_without_a_letter_is_named_and_nothing_is_put_back(
    shop: Client, settings: Settings, producer: AIOKafkaProducer, token: Callable[..., str]
) -> None:
    await bury(producer, INVENTORY.name, 0, 4)
    await bury(producer, "elsewhere", 0, 1)
    await bury(producer, INVENTORY.name, 0, 5, "no base64")
    good, path = f"{INVENTORY.name}:0:4", "/v1/ops/dead-letters:replay"
    for bad in ("x:0:0", "elsewhere:0:1", f"{INVENTORY.name}:0:5"):
        refused = await shop("POST", path, {"places": [good, bad]})
        assert (refused.status, refused.code) == (422, "invalid")
        assert refused.json["errors"][0]["pointer"] == "#/places/1"
    wrong: list[dict[str, Any]] = [{"places": []}, {"places": ["x"] * 1_001}, {}, {"places": [1]}]
    for body in wrong:
        assert (await shop("POST", path, body)).status == 422
    weak = shop.with_token(token("s", *(SCOPES - {"ops:write"})))
    assert (await weak("POST", path, {"places": [good]})).status == 403
    assert (await shop("GET", "/v1/ops/dead-letters?cursor=1")).status == 422
    assert not [r async for r in read_all(settings, INVENTORY)]


async def test_what_was_put_back_elsewhere_is_seen(
    services: Services, other: Services, producer: AIOKafkaProducer, token: Callable[..., str]
) -> None:
    """Another API process, or `tocsin dlq`, has its own view and the same topic."""
    await bury(producer, INVENTORY.name, 0, 6)
    place = f"{INVENTORY.name}:0:6"
    one, two = (Client(create_app(x), token("shop", *SCOPES)) for x in (services, other))

    async def listed() -> bool:
        found = (await one("GET", f"/v1/ops/dead-letters?topic={INVENTORY.name}")).json["letters"]
        return place in [x["place"] for x in found]

    assert await listed()
    await two("POST", "/v1/ops/dead-letters:replay", {"places": [place]})
    async with asyncio.timeout(30):
        while await listed():
            await asyncio.sleep(0.05)
