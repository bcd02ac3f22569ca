"""What was decided becomes records: deliveries, outcomes, waits. Durable when it returns."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from streams.capping import capped, goes_out, limits
from streams.decide import End, Facts, Look, Send, Wait, early_outcome
from streams.emit import Emit
from streams.ends import Ends
from streams.rules import Rules
from tocsin.kafka import send_keyed
from tocsin.metrics import ROUTED
from tocsin.records import (
    Channel,
    Deferred,
    NotificationRequest,
    Outcome,
    State,
    encode,
    schedule_id,
)
from tocsin.store.caps import Caps
from tocsin.store.claims import Begun
from tocsin.store.schedule import Schedule
from tocsin.topics import SCHEDULE


class Case(NamedTuple):
    """One request, what was found out about it, and what was decided. `partition` is where it was
    read, and where everything it causes is written."""

    request: NotificationRequest
    facts: Facts
    looks: Sequence[Look]
    partition: int


class CarryOut:
    """A handful of calls per batch, whatever its size. Doing a batch again changes nothing."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        schedule: Schedule,
        caps: Caps,
        begun: Begun,
        rules: Rules,
    ) -> None:
        self._producer, self._schedule = producer, schedule
        self._caps, self._begun, self._rules = caps, begun, rules

    async def __call__(self, cases: Sequence[Case]) -> None:
        """The waits are in the log and in the store when it returns. Of digests the store has a say
        first: it knows which one collects."""
        cases = await self._unbegun(await self.counted(cases))
        emit = Emit(self._producer)
        routed: Counter[tuple[Channel, str]] = Counter()
        ends = Ends()
        waits = []
        for case in cases:
            for look in case.looks:
                match look:
                    case Send(delivery, trace):
                        # what has waited was opened before
                        state = State.ROUTED if case.facts.woken else State.ACCEPTED
                        opening = early_outcome(
                            case.request, delivery.channel, case.facts, state, trace=trace
                        )
                        emit.delivery(delivery, case.partition, case.facts.now)
                        emit.outcomes((opening,), case.partition)
                        routed[delivery.channel, delivery.type] += 1
                    case End(outcome):
                        if case.facts.woken is None:
                            opening = _opening(case, Channel(outcome.channel))
                            emit.outcomes((opening,), case.partition)
                        emit.outcomes((outcome,), case.partition)
                        ends.early(outcome)
                    case Wait():
                        waits.append((case, look))
        await self._defer(waits, emit)
        for labels, count in routed.items():
            ROUTED.labels(*labels).inc(count)
        ends.tell()

    async def counted(self, cases: Sequence[Case]) -> list[Case]:
        """The cases after the caps have been counted."""
        asked = [
            (place, limit)
            for place, case in enumerate(cases)
            if (limit := limits(case.request, self._rules)) and goes_out(case.looks)
        ]
        found = list(cases)
        counts = await self._caps.take(
            [(cases[i].request.user_id, cases[i].request.notification_id, x) for i, x in asked]
        )
        for (place, limit), count in zip(asked, counts, strict=True):
            case = cases[place]
            looks = capped(case.request, case.looks, case.facts, count, limit[0])
            found[place] = case._replace(looks=looks)
        return found

    async def _unbegun(self, cases: Sequence[Case]) -> list[Case]:
        """The cases without what would make something else of deliveries that were sent before a
        crash: ended otherwise (read meanwhile, taken back, opted out of), or put off into quiet
        hours for longer than senders remember. Their sender says how they ended."""
        looks = [look for case in cases for look in case.looks if not isinstance(look, Send)]
        begun = await self._begun.among([(name, 1) for look in looks for name in _named(look)])
        if not begun:
            return list(cases)
        return [
            case._replace(looks=[y for x in case.looks if (y := _left(x, begun))]) for case in cases
        ]

    async def _defer(self, waits: Sequence[tuple[Case, Wait]], emit: Emit) -> None:
        plain = [w for w in waits if w[1].deferred.why != "digest"]
        collected = [w for w in waits if w[1].deferred.why == "digest"]
        entries = await self._schedule.collect([wait.deferred for _, wait in collected])
        placed = [(case, wait, wait.deferred) for case, wait in plain]
        placed += [(*w, entry) for w, entry in zip(collected, entries, strict=True) if entry]
        for case, wait, entry in placed:
            emit.outcomes(_waiting(case, wait, entry), case.partition)
        await defer(self._producer, [entry for *_, entry in placed])
        await emit.flush()
        await self._schedule.put([wait.deferred for _, wait in plain])


def _named(look: Look) -> list[str]:
    """The delivery ids of what is not sent now."""
    match look:
        case End(outcome):
            return [outcome.delivery_id]
        case Wait(deferred):
            return [f"{deferred.request.notification_id}:{each}" for each in deferred.channels]
        case Send():
            return []


def _left(look: Look, begun: set[str]) -> Look | None:
    """What is left of a look without the deliveries that have begun."""
    if begun.isdisjoint(names := _named(look)):
        return look
    if not isinstance(look, Wait) or begun.issuperset(names):
        return None
    deferred = look.deferred
    name = deferred.request.notification_id
    channels = tuple(each for each in deferred.channels if f"{name}:{each}" not in begun)
    left = replace(deferred, schedule_id=schedule_id(name, channels), channels=channels)
    return look._replace(deferred=left)


async def defer(producer: AIOKafkaProducer, entries: Sequence[Deferred]) -> None:
    """Write down what waits, where it cannot be lost; durable when it returns."""
    await send_keyed(producer, SCHEDULE, [(each.schedule_id, encode(each)) for each in entries])


def _waiting(case: Case, wait: Wait, entry: Deferred) -> list[Outcome]:
    found = []
    for channel in entry.channels:
        if case.facts.woken is None:
            found.append(_opening(case, channel))
        row = early_outcome(
            case.request, channel, case.facts, State.DEFERRED, entry.why, wait.trace
        )
        found.append(replace(row, due_at=entry.due_at))
    return found


def _opening(case: Case, channel: Channel) -> Outcome:
    """The `accepted` row that opens every delivery, so that the books can be balanced."""
    return early_outcome(case.request, channel, case.facts, State.ACCEPTED)
