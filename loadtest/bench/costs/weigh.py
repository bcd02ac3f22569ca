"""Bytes: what Valkey keeps of what happened, what providers and ClickHouse were given."""

import json
from collections import defaultdict
from collections.abc import Mapping
from statistics import mean
from typing import Final

from pyreqwest.client import ClientBuilder
from redis.asyncio import Redis

from analytics.client import connect
from loadtest.capacity.costs import Family
from tocsin.settings import Settings

_SAMPLE: Final = 300
_PER: Final[Mapping[str, str]] = {
    "user": "users", "people": "users", "seen": "notifications", "chosen": "through the API",
    "sent": "deliveries", "inbox": "inapp", "otp": "otp", "sub": "sign-ups", "subs": "sign-ups",
    "waiting": "sign-ups", "stock": "stock changes", "clicked": "clicks",
    "idempotency": "rest",
}  # fmt: skip
"""Family of keys → what there is one of it for. Others are of the system, and few."""

_PROVIDERS: Final = {"push": ("apns", "fcm"), "sms": ("twilio",), "email": ("smtp",)}
_INSERTED: Final = """
    SELECT sum(data_uncompressed_bytes) FROM system.parts
    WHERE active AND database = 'tocsin' AND table NOT LIKE 'writer_%'
"""


async def valkey(redis: Redis, counts: Mapping[str, float]) -> dict[str, Family]:
    """Families of keys against what happened so far (drivers, `users`, `notifications`)."""
    names: dict[str, list[bytes]] = defaultdict(list)
    async for key in redis.scan_iter(count=5_000):
        names[key.split(b":", 1)[0].decode()].append(key)
    found = {}
    for family, keys in sorted(names.items()):
        happened = counts.get(_PER.get(family, ""), 0)
        if not happened:
            continue
        sample = keys[:: max(1, len(keys) // _SAMPLE)]
        async with redis.pipeline(transaction=False) as pipe:
            for key in sample:
                pipe.memory_usage(key, samples=0)
                pipe.pttl(key)
            answers = await pipe.execute()
        sizes, lives = answers[::2], answers[1::2]
        found[family] = Family(
            per=_PER[family],
            each=round(len(keys) / happened, 5),
            bytes=round(mean(size or 0 for size in sizes), 1),
            seconds=round(max(0, *lives) / 1000, -2),
        )
    return found


async def provider_bytes(sandbox_url: str, limit: int = 2_000) -> dict[str, float]:
    """Bytes of body by channel, of the first receipts in the journal."""
    found = {}
    async with ClientBuilder().build() as client:
        for channel, providers in _PROVIDERS.items():
            sizes: list[int] = []
            for provider in providers:
                path = f"/sandbox/journal?provider={provider}&limit={limit}&format=ndjson"
                answer = await client.get(sandbox_url + path).build().send()
                lines = (await answer.text()).splitlines()
                sizes += [json.loads(line)["bytes"] for line in lines]
            found[channel] = round(mean(sizes), 1) if sizes else 0.0
    return found


async def inserted(settings: Settings) -> float:
    """Bytes of columns in all tables, before compression."""
    client = await connect(settings)
    try:
        row = (await client.query(_INSERTED)).first_row
        return float(row[0] or 0) if row else 0.0
    finally:
        await client.close()
