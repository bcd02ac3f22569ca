"""The channel agents: batches of deliveries to Ray, results back as outcomes and retries."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from actors.pool import Pools
from streams.consume import Record
from streams.emit import Emit
from streams.retry_policy import exhausted, next_wait
from streams.rules import Rules
from tocsin.clock import Clock
from tocsin.metrics import AMBIGUOUS, OUTCOMES, RETRIES
from tocsin.records import Channel, Delivery, DeliveryBatch, Outcome, State, decode_internal
from tocsin.store import SendResult


class Dispatch:
    """Work for one ``channel.*`` topic. Durable when it returns: every delivery of the records has
    an outcome, or its next attempt on a retry topic."""

    def __init__(
        self,
        channel: Channel,
        producer: AIOKafkaProducer,
        pools: Pools,
        clock: Clock,
        rules: Rules,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._channel, self._producer, self._pools = channel, producer, pools
        self._clock, self._rules, self._chance = clock, rules, chance

    async def __call__(self, records: Sequence[Record]) -> None:
        emit = Emit(self._producer)
        ended: Counter[State] = Counter()
        for partition, deliveries in _by_partition(records).items():
            results = await self._pools.send(self._channel, partition, deliveries)
            now = self._clock.now()
            for delivery, result in zip(deliveries, results, strict=True):
                self._conclude(delivery, result, partition, emit, ended, now)
        await emit.flush()
        for state, count in ended.items():
            OUTCOMES.labels(self._channel, state).inc(count)

    def _conclude(
        self,
        delivery: Delivery,
        result: SendResult,
        partition: int,
        emit: Emit,
        ended: Counter[State],
        now: datetime,
    ) -> None:
        if result.ambiguous:
            AMBIGUOUS.labels(delivery.channel).inc()
        over = ""
        if result.state is State.RETRY:
            wait = next_wait(delivery.attempt, result.retry_after, self._chance())
            over = exhausted(delivery, now, wait, self._rules)
            if not over:
                self._put_off(delivery, result, now + timedelta(seconds=wait), partition, emit, now)
                return
        if result.state is State.DEFERRED:
            # into quiet hours: as long as they last, and no attempt of its own
            until = now + timedelta(seconds=result.retry_after or 0)
            self._put_off(delivery, result, until, partition, emit, now)
            return
        outcome = outcome_of(delivery, result, now, over)
        ended[outcome.state] += 1
        emit.outcomes((outcome,), partition)

    def _put_off(
        self,
        delivery: Delivery,
        result: SendResult,
        until: datetime,
        partition: int,
        emit: Emit,
        now: datetime,
    ) -> None:
        """To the retry topics, and on record. The attempt's number grows also where none was made:
        the claims know a result by it."""
        RETRIES.labels(delivery.channel).inc()
        station = outcome_of(delivery, result, now)
        emit.outcomes((replace(station, state=result.state, due_at=until),), partition)
        again = replace(
            delivery,
            attempt=delivery.attempt + 1,
            not_before=until,
            tried_at=delivery.tried_at or now,
        )
        emit.delivery(again, partition, now)


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
        attempt=delivery.attempt,
        accepted_at=delivery.accepted_at,
        at=now,
        reason=f"{_OVER[over]}: {result.reason}" if over else result.reason,
        provider=result.provider,
        provider_message_id=result.provider_message_id,
        template_id=delivery.template_id,
        template_version=delivery.template_version,
    )


def _by_partition(records: Sequence[Record]) -> dict[int, list[Delivery]]:
    found: dict[int, list[Delivery]] = defaultdict(list)
    for record in records:
        found[record.partition] += decode_internal(DeliveryBatch, record.value).deliveries
    return found
