"""What a shard does all the time: keep its lease, and hear what other processes changed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from actors.sockets.hub import Hub
from actors.sockets.stock import StockFeed
from tocsin.errors import EngineUnavailable
from tocsin.store import keys
from tocsin.store.registry import LEASE_SECONDS

QUIET_SECONDS: Final = 15.0
"""Without a message for so long, the subscription is tried, and given as long to answer."""

_AGAIN_SECONDS: Final = 1.0
_ACK_SECONDS: Final = 0.1
_log = logging.getLogger(__name__)


async def always(work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` until cancelled, again a second after it ended in whatever way."""
    while True:
        try:
            await work()
        except (RedisError, EngineUnavailable) as error:
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


async def hear_changes(client: Redis, hub: Hub, stock: StockFeed) -> None:
    """Tell sockets what became read, unread or deleted elsewhere, and what stock changed.

    What is published while the subscription is interrupted is missed. Of an inbox it is changed all
    the same, and a client that reloads sees it; stock is read anew.
    """
    async with client.pubsub() as published:
        await published.subscribe(keys.INBOX_CHANGED, keys.STOCK_CHANGED)
        async for kind, channel, data in _messages(published):
            if kind == "subscribe":  # at first, and whenever the library has reconnected by itself
                stock.missed()
            elif kind == "message":
                (hub if channel == keys.INBOX_CHANGED else stock).changed(data)


async def _messages(published: PubSub) -> AsyncIterator[tuple[str, str, bytes]]:
    """What comes; a store that is silent is asked whether it is there. Raises what Redis raises."""
    asked = False
    while True:
        message = await published.get_message(timeout=QUIET_SECONDS)
        if message is not None:
            asked = False
            yield message["type"], (message["channel"] or b"").decode(), message["data"]
        elif asked:
            raise RedisConnectionError(f"the subscription is dead: silent for {QUIET_SECONDS} s")
        else:
            asked = True
            await published.ping()
