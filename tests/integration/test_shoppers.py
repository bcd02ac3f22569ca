"""The replay's customers on a real shard: they are told over their sockets."""

import asyncio
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from actors.shard import ConnectionShard
from loadtest.replay.shoppers import Shoppers
from tests.integration.conftest import free_port
from tocsin.records import Channel, Delivery, DeliveryBatch, Profile, decode, encode
from tocsin.settings import Settings
from tocsin.store import Profiles, SendResult

pytestmark = pytest.mark.integration


def _batch(users: list[str]) -> bytes:
    return encode(
        DeliveryBatch(
            [
                Delivery(
                    notification_id=f"n-{user}",
                    user_id=user,
                    channel=Channel.INAPP,
                    type="BACK_IN_STOCK",
                    category="stock",
                    template_id="BACK_IN_STOCK",
                    data={"sku": "85123A", "product": "Heart", "available": 5},
                    accepted_at=datetime.now(UTC),
                )
                for user in users
            ]
        )
    )


async def test_who_is_online_is_told_over_the_socket_and_who_left_is_not(
    store_settings: Settings, redis: Redis
) -> None:
    settings = store_settings.model_copy(update={"ws_port": free_port()})
    for user in ("anna", "bob", "carol"):
        await Profiles(redis).put(Profile(user_id=user, version=1))
    shard = ConnectionShard(settings, "shard-0")
    await shard.start()
    shoppers = Shoppers(settings, most=2)
    try:
        for user in ("anna", "bob", "carol"):
            await shoppers.arrive(user)
        answer = await shard.deliver(_batch(["anna", "bob", "carol"]))
        results = decode(list[SendResult], answer)
        assert [r.provider for r in results] == ["inbox", "socket", "socket"]
        async with asyncio.timeout(60):
            while shoppers.received < 2:
                await asyncio.sleep(0.01)
    finally:
        await shoppers.leave()
        await shard.stop()


async def test_without_a_shard_nobody_minds(store_settings: Settings) -> None:
    settings = store_settings.model_copy(update={"ws_port": free_port()})
    shoppers = Shoppers(settings)
    await shoppers.arrive("anna")
    await shoppers.leave()
    assert shoppers.received == 0
