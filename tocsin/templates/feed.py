"""Follows the ``templates`` topic, so that what is published counts in every process at once."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from tocsin.errors import EngineUnavailable, Invalid
from tocsin.records import Template, decode_internal
from tocsin.settings import Settings
from tocsin.templates.catalogue import Catalogue
from tocsin.topics import MAX_RECORD_BYTES, TEMPLATES

log = logging.getLogger(__name__)

_FETCH_WAIT_MS: Final = 200
"""The embedded broker holds a fetch for half of its wait, even when a record comes meanwhile."""

_POLL_MS: Final = 300
_PAUSE: Final = 1.0


class Feed:
    """Reads the whole topic, then on, in no consumer group: every process has all of it.

    While Kafka is away the catalogue keeps what it knows.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings, self._catalogue = settings, catalogue
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the catalogue is as the topic was at the call, and goes on following.

        Raises `EngineUnavailable` where no Kafka answers.
        """
        try:
            self._consumer = await self._read_to_end()
        except KafkaConnectionError:
            hint = "start it, or set TOCSIN_KAFKA_URL"
            raise EngineUnavailable("Kafka", self._settings.kafka_url, hint) from None
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop following; the catalogue stays as it is."""
        if self._following:
            self._following.cancel()
            await asyncio.wait((self._following,))
            self._following = None
        await self._close()

    async def _follow(self) -> None:
        while True:
            try:
                if self._consumer is None:
                    self._consumer = await self._read_to_end()
                self._take(await self._consumer.getmany(timeout_ms=_POLL_MS))
            except (KafkaError, OSError) as error:
                log.warning("templates cannot be followed, trying again: %s", error)
                await self._close()
                await asyncio.sleep(_PAUSE)

    async def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer:
            await consumer.stop()

    async def _read_to_end(self) -> AIOKafkaConsumer:
        """A consumer of every partition that has read all there was; the caller stops it."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_servers(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=6 * MAX_RECORD_BYTES,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        try:
            await consumer.start()
            places = [TopicPartition(TEMPLATES.name, p) for p in range(self._settings.partitions)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            polled: Mapping[Any, Any] = {None: ()}
            # the embedded broker gives an end as one past the *first* record of the last batch, so
            # the ends alone are not believed: an empty poll must agree
            while polled or not await _beyond(consumer, ends):
                polled = await consumer.getmany(timeout_ms=_POLL_MS)
                self._take(polled)
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    def _take(self, polled: Mapping[Any, Any]) -> None:
        for records in polled.values():
            for record in records:
                self._heard(record)

    def _heard(self, record: Any) -> None:
        """One record; what cannot be read is passed over, and the words stay as they were."""
        if record.value is None:
            self._catalogue.forget(_text(record.key))
            return
        try:
            self._catalogue.put(decode_internal(Template, record.value))
        except Invalid as error:
            place = f"{record.topic}:{record.partition}:{record.offset}"
            log.error("%s is no template: %s", place, error)


async def _beyond(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    for place, end in ends.items():
        if await consumer.position(place) < end:
            return False
    return True


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")
