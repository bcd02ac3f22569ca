"""What people do with links, on its way into Kafka. Nobody who follows one waits for the books."""

import asyncio
import logging
from typing import Final

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from api.known import KnownUsers
from api.publish import Publish
from tocsin.errors import TocsinError
from tocsin.metrics import LINKS, LINKS_LOST
from tocsin.records import Engagement, encode
from tocsin.store.clicks import Clicks, Message
from tocsin.topics import ENGAGEMENT

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 0.25
"""Longer than Kafka ever takes while it is well; then the person goes on, and the event is tried
for some seconds more."""

MOST: Final = 5_000
"""Events on their way at once; what comes beyond, with Kafka away, is counted as lost."""

_CLOSE_SECONDS: Final = 12.0


class Hits:
    """Durable when Kafka is well; otherwise counted in `tocsin_link_events_lost`."""

    def __init__(self, publish: Publish, known: KnownUsers, clicks: Clicks) -> None:
        self._publish, self._known, self._clicks = publish, known, clicks
        self._open: set[asyncio.Task[None]] = set()
        self._away = False

    async def keep(self, event: Engagement) -> None:
        """Returns when the event is durable, at the latest after PATIENCE_SECONDS. Never raises. Of
        somebody who was erased nothing is kept."""
        LINKS.labels(event.kind, event.bot_reason).inc()
        if len(self._open) >= MOST:
            self._lost(event, "too many wait already")
            return
        task = asyncio.create_task(self._written(event))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        await asyncio.wait((task,), timeout=PATIENCE_SECONDS)

    async def close(self) -> None:
        """Wait for what is on its way."""
        if self._open:
            await asyncio.wait(tuple(self._open), timeout=_CLOSE_SECONDS)

    async def _written(self, event: Engagement) -> None:
        try:
            if not await self._registered(event.user_id):
                return
            publishing = self._publish.one(ENGAGEMENT, event.notification_id, encode(event))
            await asyncio.gather(publishing, self._remembered(event))
        except (KafkaError, TimeoutError) as error:
            self._lost(event, f"{type(error).__name__}: {error}")
        else:
            if self._away:
                log.info("clicks and opens reach Kafka again")
            self._away = False

    async def _registered(self, user_id: str) -> bool:
        """Whether the person is there; with the store away, or not whole, that is not known, and
        what happened is kept."""
        try:
            return await self._known.one(user_id)
        except (RedisError, OSError, TocsinError):
            return True

    async def _remembered(self, event: Engagement) -> None:
        """A person's click is what sales are owed to. The store away: then to no click."""
        if event.kind != "click" or event.bot:
            return
        message = Message(event.notification_id, event.channel, event.type)
        try:
            await self._clicks.remember(event.user_id, event.at, message)
        except (RedisError, OSError) as error:
            log.debug("the last click cannot be remembered: %s", error)

    def _lost(self, event: Engagement, why: str) -> None:
        LINKS_LOST.labels(event.kind).inc()
        if not self._away:
            log.error("clicks and opens are lost, and tocsin_link_events_lost counts them: %s", why)
        self._away = True
