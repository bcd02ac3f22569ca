"""`tocsin rebuild`: Redis restored from the compacted topics. The log is the truth."""

import asyncio
import sys

from redis.asyncio import Redis

from streams.log import read_all
from tocsin import settings as settings_module
from tocsin.errors import TocsinError
from tocsin.records import Profile, Subscription, decode
from tocsin.settings import Settings
from tocsin.store import Profiles, Subscriptions, connect
from tocsin.topics import PROFILES, SUBSCRIPTIONS


async def rebuild(settings: Settings, redis: Redis) -> dict[str, int]:
    """Put every live entity of the compacted topics into `redis`; how many, by topic.

    Safe on a running system: an older version never replaces a newer one.
    """
    return {
        PROFILES.name: await _profiles(settings, Profiles(redis)),
        SUBSCRIPTIONS.name: await _subscriptions(settings, Subscriptions(redis)),
    }


async def _profiles(settings: Settings, profiles: Profiles) -> int:
    live: dict[bytes, Profile] = {}
    async for record in read_all(settings, PROFILES):
        if record.value is None:
            live.pop(record.key, None)
            continue
        profile = decode(Profile, record.value)
        if record.key not in live or live[record.key].version <= profile.version:
            live[record.key] = profile
    for profile in live.values():
        await profiles.put(profile)
    return len(live)


async def _subscriptions(settings: Settings, subscriptions: Subscriptions) -> int:
    live: dict[bytes, Subscription] = {}
    async for record in read_all(settings, SUBSCRIPTIONS):
        if record.value is None:
            live.pop(record.key, None)
        else:
            live[record.key] = decode(Subscription, record.value)
    ended = [s for s in live.values() if s.state != "waiting"]
    await subscriptions.end(ended)
    for subscription in live.values():
        if subscription.state == "waiting":
            await subscriptions.add(subscription)
    return len(live)


async def _main() -> None:
    settings = settings_module.load()
    redis = await connect(settings)
    try:
        for topic, count in (await rebuild(settings, redis)).items():
            print(f"{topic}: {count:,} restored")
    finally:
        await redis.aclose()


if __name__ == "__main__":
    try:
        asyncio.run(_main())
    except TocsinError as error:
        sys.exit(f"tocsin rebuild: {error}")
