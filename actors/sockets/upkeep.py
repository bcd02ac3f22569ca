"""What a shard does all the time: keep its lease, and hear what other processes changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.sockets.hub import Hub
from tocsin.store import keys
from tocsin.store.registry import LEASE_SECONDS

_AGAIN_SECONDS: Final = 1.0
_ACK_SECONDS: Final = 0.1
_log = logging.getLogger(__name__)


async def always(work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` until cancelled, again a second after it ended in whatever way."""
    while True:
        try:
            await work()
        except RedisError as error:
            _log.warning("store: %s", error)
        except Exception:
            _log.exception("upkeep failed")
        await asyncio.sleep(_AGAIN_SECONDS)


async def cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Return when all are over. The Redis library loses a cancellation that comes while it
    connects, so they are asked until they are gone."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


async def keep_lease(hub: Hub, seconds: float = LEASE_SECONDS / 3) -> None:
    """Renew the lease of this shard."""
    while True:
        await hub.presence.refresh(hub.users)
        await asyncio.sleep(seconds)


async def note_acks(hub: Hub) -> None:
    """Put on record how far devices have acknowledged: a cascade's push is cancelled by it. A tenth
    of a second's worth at once."""
    while True:
        await hub.write_acks()
        await asyncio.sleep(_ACK_SECONDS)


async def hear_changes(client: Redis, hub: Hub) -> None:
    """Tell sockets what became read, unread or deleted elsewhere. What is published while the store
    is away is missed: the inbox has changed all the same, and a client that reloads sees it."""
    async with client.pubsub() as published:
        await published.subscribe(keys.INBOX_CHANGED)
        async for message in published.listen():
            if message["type"] == "message":
                hub.changed(message["data"])
