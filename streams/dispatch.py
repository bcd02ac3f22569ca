"""The channel agents: batches of deliveries to Ray, results back as outcomes and retries."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from actors.pool import Pools
from streams.carry_out import defer
from streams.consume import Record
from streams.emit import Emit
from streams.ends import Ends
from streams.retry_policy import exhausted, hold_wait, next_wait
from streams.rules import Rules
from tocsin.clock import Clock
from tocsin.metrics import AMBIGUOUS, RETRIES
from tocsin.records import (
    Channel,
    Deferred,
    Delivery,
    DeliveryBatch,
    NotificationRequest,
    Outcome,
    State,
    Strategy,
    decode_internal,
    lane_of,
    schedule_id,
)
from tocsin.store import SendResult
from tocsin.store.schedule import Schedule


class Dispatch:
    """Work for one ``channel.*`` topic. Durable when it returns: every delivery of the records has
    an outcome, or its next attempt on a retry topic."""

    def __init__(
        self,
        channel: Channel,
        producer: AIOKafkaProducer,
        pools: Pools,
        schedule: Schedule,
        clock: Clock,
        rules: Rules,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._channel, self._producer, self._pools = channel, producer, pools
        self._schedule = schedule
        self._clock, self._rules, self._chance = clock, rules, chance

    async def __call__(self, records: Sequence[Record]) -> None:
        emit = Emit(self._producer)
        ends = Ends()
        waits: list[Deferred] = []
        for taken in self._by_actor(records):
            deliveries = [delivery for _, delivery in taken]
            results = await self._pools.send(self._channel, taken[0][0], deliveries)
            now = self._clock.now()
            for (partition, delivery), result in zip(taken, results, strict=True):
                ends.answered(result)
                if result.state is State.DEFERRED:
                    waits.append(self._until_morning(delivery, result, partition, emit, now))
                else:
                    self._conclude(delivery, result, partition, emit, ends, now)
        await defer(self._producer, waits)
        await emit.flush()
        await self._schedule.put(waits)
        ends.tell()

    def _by_actor(self, records: Sequence[Record]) -> Iterable[list[tuple[int, Delivery]]]:
        """The deliveries with their partitions: those of one actor go there in one call."""
        found: dict[int, list[tuple[int, Delivery]]] = defaultdict(list)
        for record in records:
            actor = self._pools.actor(self._channel, record.partition)
            batch = decode_internal(DeliveryBatch, record.value)
            found[actor] += [(record.partition, delivery) for delivery in batch.deliveries]
        return [taken for taken in found.values() if taken]

    def _conclude(
        self,
        delivery: Delivery,
        result: SendResult,
        partition: int,
        emit: Emit,
        ends: Ends,
        now: datetime,
    ) -> None:
        if result.ambiguous:
            AMBIGUOUS.labels(delivery.channel).inc()
        over = ""
        if result.state is State.RETRY:
            delivery, wait = self._again(delivery, result)
            over = exhausted(delivery, now, wait, self._rules)
            if not over:
                self._put_off(delivery, result, now + timedelta(seconds=wait), partition, emit, now)
                return
        outcome = outcome_of(delivery, result, now, over)
        ends.ended(outcome, lane_of(delivery.priority))
        emit.outcomes((outcome,), partition)

    def _again(self, delivery: Delivery, result: SendResult) -> tuple[Delivery, float]:
        """The delivery with what was held counted, and how long it waits."""
        chance, after = self._chance(), result.retry_after
        if not result.held:
            return delivery, next_wait(delivery.tries, after, chance)
        held = replace(delivery, held=delivery.held + 1)
        return held, hold_wait(held.held, after or 0.0, lane_of(delivery.priority), chance)

    def _put_off(
        self,
        delivery: Delivery,
        result: SendResult,
        until: datetime,
        partition: int,
        emit: Emit,
        now: datetime,
    ) -> None:
        """To the retry topics, and on record."""
        RETRIES.labels(delivery.channel).inc()
        _on_record(delivery, result, until, partition, emit, now)
        again = replace(
            delivery,
            attempt=delivery.attempt + 1,
            not_before=until,
            tried_at=delivery.tried_at or now,
        )
        emit.delivery(again, partition, now)

    def _until_morning(
        self, delivery: Delivery, result: SendResult, partition: int, emit: Emit, now: datetime
    ) -> Deferred:
        """It met the person's quiet hours at its sender: it is decided on again when they end."""
        until = now + timedelta(seconds=result.retry_after or 0)
        _on_record(delivery, result, until, partition, emit, now)
        return deferred_of(delivery, until)


def _on_record(
    delivery: Delivery,
    result: SendResult,
    until: datetime,
    partition: int,
    emit: Emit,
    now: datetime,
) -> None:
    station = outcome_of(delivery, result, now)
    emit.outcomes((replace(station, state=result.state, due_at=until),), partition)


def deferred_of(delivery: Delivery, until: datetime) -> Deferred:
    """A delivery as what it was before it was routed, to be looked at again."""
    request = NotificationRequest(
        notification_id=delivery.notification_id,
        user_id=delivery.user_id,
        type=delivery.type,
        data=delivery.data,
        channels=(delivery.channel,),
        priority=delivery.priority,
        strategy=Strategy.ALL,
        template_id=delivery.template_id,
        template_version=delivery.template_version,
        category=delivery.category,
        collapse_key=delivery.collapse_key,
        expires_at=delivery.expires_at,
        accepted_at=delivery.accepted_at,
        broadcast_id=delivery.broadcast_id,
    )
    return Deferred(
        schedule_id=schedule_id(delivery.notification_id, request.channels),
        request=request,
        channels=request.channels,
        accepted_at=delivery.accepted_at,
        due_at=until,
        why="quiet_hours",
        category=delivery.category,
        unless=delivery.unless,
    )


_OVER = {
    "attempts": "attempts exhausted",
    "deadline": "deadline passed",
    "expiry": "expires before the next attempt",
}


def outcome_of(delivery: Delivery, result: SendResult, now: datetime, over: str = "") -> Outcome:
    """A result as the record ClickHouse keeps. `over` (of `exhausted`) makes a failure of a retry
    that may not go on, and expired of what expires meanwhile."""
    state = result.state
    if over:
        state = State.EXPIRED if over == "expiry" else State.FAILED
    return Outcome(
        delivery_id=delivery.delivery_id,
        notification_id=delivery.notification_id,
        user_id=delivery.user_id,
        channel=delivery.channel,
        type=delivery.type,
        state=state,
        attempt=delivery.tries,
        accepted_at=delivery.accepted_at,
        at=now,
        reason=f"{_OVER[over]}: {result.reason}" if over else result.reason,
        provider=result.provider,
        provider_message_id=result.provider_message_id,
        template_id=delivery.template_id,
        template_version=delivery.template_version,
        destination=result.destination,
        content_hash=result.content_hash,
        data_hash=result.data_hash,
    )
