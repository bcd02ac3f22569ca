"""A sender: batches of deliveries in, one result each out, every message sent once.

A plain asyncio class; actors/pool.py makes it a Ray actor.
"""

import asyncio
import os
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis

from actors.decide import (
    Address,
    addresses,
    concluded,
    destination,
    may_repeat,
    refusal,
    unrepeated,
)
from actors.forget import forget_devices
from actors.hand_over import HandOver, bug
from actors.ledger import Ledger, patiently
from actors.message import Content, Message
from actors.pace import Pace
from actors.vendors import MakeVendors, make_vendors
from tocsin.clock import Clock, SystemClock
from tocsin.errors import Invalid, Permanent
from tocsin.records import LANES, Channel, Delivery, DeliveryBatch, Profile, State, encode, lane_of
from tocsin.settings import Settings
from tocsin.store import Cancellations, Claims, Profiles, SendResult, Templates, connect
from tocsin.store.buckets import Buckets
from tocsin.store.clock import StoreClock
from tocsin.templates import Renderer, TemplateMissing, content_hash, data_hash, versions_of

_AT_ONCE: Final = 4
_PORTION: Final = 100
_PORTION_SECONDS: Final = 5.0
"""A portion is claimed and sent together. Four at once of 100, or of what the rate lets through in
5 s, over 128 calls of at most 10 s: no claim is held as long as its lease (60 s). A hanging SMTP
server can make it longer, which matters only if the pool is resized that very minute."""

_WORKERS: Final = 32
"""Tasks of a portion, each taking the next delivery: as fast as a task per message, and bounded."""

_decode = msgspec.json.Decoder(DeliveryBatch).decode


class Sender:
    """One sender of one channel. `name` is the same after every restart of it."""

    def __init__(
        self,
        settings: Settings,
        channel: Channel,
        name: str,
        make: MakeVendors = make_vendors,
        clock: Clock | None = None,
    ) -> None:
        self._settings, self._channel, self.name = settings, Channel(channel), name
        self._make, self._by_store = make, clock is None
        self._clock: Clock = clock or SystemClock()
        self._keeping: asyncio.Task[None] | None = None
        self._owner = f"{name}:{uuid.uuid4().hex}"
        rate: float = getattr(settings.rate, self._channel.value)
        senders: int = getattr(settings, f"{self._channel.value}_senders")
        self._rate = rate
        self._size = max(1, min(_PORTION, int(rate * _PORTION_SECONDS / senders / _AT_ONCE)))
        self._portions = {lane: asyncio.Semaphore(_AT_ONCE) for lane in LANES}
        self._starting = asyncio.Lock()
        self._redis: Redis | None = None

    async def start(self) -> None:
        """Connect; idempotent, and `send` calls it.

        Raises `EngineUnavailable` without Redis, `ConfigError` for wrong credentials.
        """
        async with self._starting:
            if self._redis is None:
                redis = await connect(self._settings)
                self._profiles = Profiles(redis)
                self._renderer, self._templates = Renderer(self._settings), Templates(redis)
                vendors = self._make(self._settings, (self._channel,), redis)
                pace = partial(Pace, Buckets(redis), self._channel.value, self._rate)
                if self._by_store:
                    self._clock = fleets = await StoreClock.set_by(redis)
                    self._keeping = asyncio.create_task(fleets.keep())
                self._providers = HandOver(vendors, pace, self._clock, LANES)
                self._cancellations = Cancellations(redis)
                self._ledger = Ledger(Claims(redis, self._owner))
                self._ledger.start()
                self._redis = redis

    async def facts(self) -> dict[str, Any]:
        """`start`, and what people want to know of it: the process id."""
        await self.start()
        return {"pid": os.getpid()}

    async def send(self, batch: bytes) -> bytes:
        """An encoded DeliveryBatch in, an encoded list[SendResult] out: same length and order.

        Every result but a BUSY one is in the store when this returns. May be called with the same
        batch again, here or after a crash: what was sent is not sent twice.
        """
        await self.start()
        deliveries = _decode(batch).deliveries
        portions = [
            self._portion(deliveries[i : i + self._size])
            for i in range(0, len(deliveries), self._size)
        ]
        return encode([result for part in await asyncio.gather(*portions) for result in part])

    async def close(self) -> None:
        """Finish what is at work and disconnect."""
        if self._keeping:
            self._keeping.cancel()
        if self._redis is not None:
            await self._ledger.close()
            await self._providers.close()
            await self._redis.aclose()
            self._redis = None

    async def _portion(self, deliveries: Sequence[Delivery]) -> list[SendResult]:
        # the batches of a topic are of one lane
        async with self._portions[lane_of(deliveries[0].priority)]:
            off = await patiently(partial(self._cancellations.broadcasts_off, deliveries))
            futures, todo = await self._ledger.open(
                [(d.delivery_id, d.attempt) for d in deliveries], off
            )
            try:
                profiles = await self._read([deliveries[i].user_id for i, _ in todo])
                wanted = versions_of(deliveries[i] for i, _ in todo)
                await patiently(partial(self._renderer.load, self._templates, wanted))
                work = iter(
                    [(deliveries[i], p, a) for (i, a), p in zip(todo, profiles, strict=True)]
                )
                workers = min(len(todo), _WORKERS)
                await asyncio.gather(*(self._work_off(work) for _ in range(workers)))
            except BaseException:
                self._ledger.abandon([deliveries[i].delivery_id for i, _ in todo])
                raise
        # wait() and not gather(): a future may be another caller's too, and must not be cancelled
        if futures:
            await asyncio.wait(futures)
        return [future.result() for future in futures]

    async def _read(self, user_ids: Sequence[str]) -> list[Profile | None]:
        try:
            return await patiently(partial(self._profiles.get_many, user_ids))
        except Invalid:
            # one that cannot be read must not stop the others
            return [await self._read_one(user_id) for user_id in user_ids]

    async def _read_one(self, user_id: str) -> Profile | None:
        try:
            return await patiently(partial(self._profiles.get, user_id))
        except Invalid:
            return None

    async def _work_off(self, work: Iterator[tuple[Delivery, Profile | None, bool]]) -> None:
        for delivery, profile, ambiguous in work:
            await self._settled(delivery, profile, ambiguous)

    async def _settled(self, delivery: Delivery, profile: Profile | None, ambiguous: bool) -> None:
        try:
            result = await self._result(delivery, profile, ambiguous)
        except Permanent as error:
            result = SendResult(delivery.delivery_id, State.FAILED, error.reason)
        except TemplateMissing as error:
            # its words are being restored, or were deleted: then its attempts run out
            result = SendResult(delivery.delivery_id, State.RETRY, error.reason)
        except Exception as error:
            reason = bug(delivery.delivery_id, error)
            result = SendResult(delivery.delivery_id, State.FAILED, reason)
        self._ledger.settle(result, delivery.attempt)

    async def _result(
        self, delivery: Delivery, profile: Profile | None, ambiguous: bool
    ) -> SendResult:
        if ambiguous and not may_repeat(delivery):
            return unrepeated(delivery.delivery_id)
        refused = refusal(delivery, profile, self._clock.now())
        if refused is not None:
            return replace(refused, ambiguous=ambiguous)
        assert profile is not None  # else it was refused
        to = addresses(profile, delivery.channel)
        if not to:
            return SendResult(
                delivery.delivery_id, State.SUPPRESSED, "no_address", ambiguous=ambiguous
            )
        content = self._renderer.render(delivery, profile)
        self._ledger.begin(delivery.delivery_id)
        answers = await self._providers.all(partial(_message, delivery, content), to)
        await forget_devices(self._profiles, delivery.user_id, to, answers)
        return replace(
            concluded(delivery, answers, ambiguous),
            destination=destination(to, answers),
            content_hash=content_hash(content),
            data_hash=data_hash(delivery.data),
        )


def _message(delivery: Delivery, content: Content, address: Address) -> Message:
    return Message(
        delivery.delivery_id,
        delivery.type,
        address.value,
        content,
        delivery.priority,
        delivery.expires_at,
        delivery.collapse_key,
    )
