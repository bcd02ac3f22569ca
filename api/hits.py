"""What people do with links, on its way into Kafka. Nobody who follows one waits for that."""

import asyncio
import logging
from typing import Final

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from api.journal import Journal, Segment
from api.known import KnownUsers
from api.publish import Publish
from tocsin.errors import Invalid, TocsinError
from tocsin.metrics import LINKS, LINKS_LOST
from tocsin.records import Engagement, decode, encode
from tocsin.store.clicks import Clicks, Message
from tocsin.topics import ENGAGEMENT

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 0.25
"""For Kafka, where the disk takes no line: then the person goes on all the same."""

AGAIN_SECONDS: Final = 1.0
"""Between a try that failed and the next."""

MOST: Final = 5_000
"""Events on their way at once; what comes beyond, with Kafka away, is counted as lost."""

_CLOSE_SECONDS: Final = 12.0


class Hits:
    """Each event is a line of the journal until Kafka has it: whoever dies meanwhile, it is kept.
    Only what neither takes is lost, and counted in `tocsin_link_events_lost`."""

    def __init__(
        self, publish: Publish, known: KnownUsers, clicks: Clicks, journal: Journal
    ) -> None:
        self._publish, self._known, self._clicks = publish, known, clicks
        self._journal = journal
        self._open: set[asyncio.Task[None]] = set()
        self._away = self._diskless = False

    async def keep(self, event: Engagement) -> None:
        """Returns at once when it is in the journal; where the disk refuses, when Kafka has it, at
        the latest after PATIENCE_SECONDS. Never raises. Of somebody who was erased nothing is
        kept."""
        LINKS.labels(event.kind, event.bot_reason).inc()
        if len(self._open) >= MOST:
            self._lost(event, "too many wait already")
            return
        try:
            segment = self._journal.write(encode(event))
        except OSError as error:
            self._refused(error)
            await asyncio.wait((self._begin(event, None),), timeout=PATIENCE_SECONDS)
        else:
            self._begin(event, segment)

    async def take_up(self) -> int:
        """Bring into Kafka what an API that died had not; how many. They are on their way when it
        returns. What has come twice counts once, by its id."""
        count = 0
        for line, segment in self._journal.left():
            try:
                event = decode(Engagement, line)
            except Invalid as error:
                log.error("a line of a click's journal cannot be read and is dropped: %s", error)
                self._journal.done(segment)
                continue
            self._begin(event, segment)
            count += 1
        return count

    async def close(self) -> None:
        """Wait for what is on its way. What does not arrive stays in the journal."""
        if self._open:
            await asyncio.wait(tuple(self._open), timeout=_CLOSE_SECONDS)
        late = tuple(self._open)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self._journal.close()

    def _begin(self, event: Engagement, segment: Segment | None) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._kept(event, segment))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    async def _kept(self, event: Engagement, segment: Segment | None) -> None:
        """Until Kafka has it, if there is a segment to hold it meanwhile."""
        while True:
            try:
                await self._written(event)
                break
            except (KafkaError, TimeoutError) as error:
                why = f"{type(error).__name__}: {error}"
            if segment is None:
                self._lost(event, why)
                return
            self._waits(why)
            await asyncio.sleep(AGAIN_SECONDS)
        if self._away:
            log.info("clicks and opens reach Kafka again")
        self._away = False
        if segment is not None:
            self._journal.done(segment)

    async def _written(self, event: Engagement) -> None:
        if not await self._registered(event.user_id):
            return
        publishing = self._publish.one(ENGAGEMENT, event.notification_id, encode(event))
        await asyncio.gather(publishing, self._remembered(event))

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

    def _refused(self, error: OSError) -> None:
        if not self._diskless:
            log.warning("no journal of clicks and opens, so each waits for Kafka: %s", error)
        self._diskless = True

    def _waits(self, why: str) -> None:
        if not self._away:
            log.error("clicks and opens wait in the journal for Kafka: %s", why)
        self._away = True

    def _lost(self, event: Engagement, why: str) -> None:
        LINKS_LOST.labels(event.kind).inc()
        if not self._away:
            log.error("clicks and opens are lost, and tocsin_link_events_lost counts them: %s", why)
        self._away = True
