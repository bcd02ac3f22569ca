"""Dead letters: a record that cannot be used is kept whole, with the reason."""

import base64
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaProducer

from tocsin.errors import Invalid
from tocsin.metrics import DEAD_LETTERS
from tocsin.records import DeadLetter, encode
from tocsin.topics import DEAD

KEPT_BYTES: Final = 600_000
"""Of a payload, so that its letter (base64) is itself a record that everybody can read."""


class Bury:
    """Writes to ``notification.dead``; returns when the letter is durable."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def one(
        self,
        topic: str,
        partition: int,
        offset: int,
        payload: bytes,
        error: Exception,
        notification_id: str = "",
    ) -> None:
        """Bury one payload; with `notification_id` the books know that this is where that one went.

        A bug's own words stay out: they may quote the payload. Of an oversize payload the beginning
        is kept, and the reason says so.
        """
        reason = error.reason if isinstance(error, Invalid) else "could not be processed"
        if len(payload) > KEPT_BYTES:
            reason += f" (the first {KEPT_BYTES:,} of {len(payload):,} bytes are kept)"
        letter = DeadLetter(
            topic=topic,
            partition=partition,
            offset=offset,
            error=type(error).__name__,
            field=error.field if isinstance(error, Invalid) else "",
            reason=reason,
            payload_b64=base64.b64encode(payload[:KEPT_BYTES]).decode(),
            at=datetime.now(UTC),
            notification_id=notification_id,
        )
        DEAD_LETTERS.labels(topic).inc()
        key = f"{topic}:{partition}:{offset}".encode()
        await self._producer.send_and_wait(DEAD.name, encode(letter), key=key)
