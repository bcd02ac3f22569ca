"""The waking agent: what has waited for its hour is decided on again, as the world is now."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer

from streams.carry_out import CarryOut, Case
from streams.consume import Record
from streams.decide import End, Facts, Look, Send, Wait, decide, early_outcome
from streams.digest import Lines, digest_id, digest_request
from streams.mind import Mind
from streams.route import people, taken_back, undecidable, wanted
from tocsin.errors import Invalid
from tocsin.kafka import packed, partition_for, send_all, send_keyed
from tocsin.records import (
    Channel,
    Deferred,
    Delivery,
    DueBatch,
    NotificationRequest,
    Profile,
    State,
    decode_internal,
    encode,
)
from tocsin.store.inbox import Inbox
from tocsin.store.schedule import Schedule
from tocsin.templates import Chosen
from tocsin.topics import REQUESTS, SCHEDULE

log = logging.getLogger(__name__)

_MOST: Final = 250


class _Due(NamedTuple):
    """An entry, where it was read, and the id of the digest that it is to be part of, or ''."""

    entry: Deferred
    partition: int
    digest: str


class _Woken(NamedTuple):
    entry: Deferred
    digest: str
    profile: Profile | None
    case: Case


class Wake:
    """Work for ``schedule.due``. Durable when it returns: whatever was decided, and that the waits
    are over. In between a crash has everything done again, and recognised by its ids."""

    def __init__(
        self,
        mind: Mind,
        carry_out: CarryOut,
        schedule: Schedule,
        inbox: Inbox,
        lines: Lines,
        producer: AIOKafkaProducer,
        partitions: int,
    ) -> None:
        self._mind, self._carry_out, self._schedule = mind, carry_out, schedule
        self._inbox, self._lines = inbox, lines
        self._producer, self._partitions = producer, partitions

    async def __call__(self, records: Sequence[Record]) -> None:
        woken = await self._looked_at(_due(records))
        await self._tell(_gathered(woken))
        await self._carry_out([_kept(each) for each in woken])
        over = [each.entry for each in woken if not _waits_again(each)]
        await send_keyed(self._producer, SCHEDULE, [(e.schedule_id, None) for e in over])
        await self._schedule.done(over)

    async def _looked_at(self, due: Sequence[_Due]) -> list[_Woken]:
        requests = [each.entry.request for each in due]
        profiles, cancelled, happened = await asyncio.gather(
            people(self._mind.profiles, requests),
            taken_back(self._mind.cancellations, requests),
            self._happened([each.entry for each in due]),
        )
        words = await self._mind.choose.many([wanted(request) for request in requests])
        return [
            _Woken(
                each.entry,
                each.digest,
                profile,
                self._case(each, profile, chosen, off, each.entry.schedule_id in happened),
            )
            for each, profile, chosen, off in zip(due, profiles, words, cancelled, strict=True)
        ]

    async def _happened(self, entries: Sequence[Deferred]) -> set[str]:
        asked = [(e, e.unless) for e in entries if e.unless is not None]
        found = await self._inbox.happened(
            [(e.request.user_id, e.request.notification_id, unless) for e, unless in asked]
        )
        return {e.schedule_id for (e, _), so in zip(asked, found, strict=True) if so}

    def _case(
        self,
        due: _Due,
        profile: Profile | None,
        chosen: Chosen | Invalid,
        cancelled: bool,
        happened: bool,
    ) -> Case:
        entry = due.entry
        request = entry.request
        facts = Facts(
            entry.accepted_at, self._mind.clock.now(), request.template_id or request.type,
            request.template_version or 0, cancelled=cancelled, woken=entry, happened=happened,
        )  # fmt: skip
        if not isinstance(chosen, Invalid):
            locale = profile.locale if profile else ""
            facts = facts._replace(words=self._mind.catalogue.channels(chosen, locale))
        looks: Sequence[Look]
        try:
            looks = decide(request, profile, facts, self._mind.rules)
        except Exception:
            about = {"schedule_id": entry.schedule_id, "notification_id": request.notification_id}
            log.exception("%s cannot be decided on", entry.schedule_id, extra=about)
            looks = undecidable(request, facts, self._mind.rules)
        if isinstance(chosen, Invalid):
            looks = _wordless(request, looks, facts, chosen)
        return Case(request, facts, looks, due.partition)

    async def _tell(self, gathered: Mapping[str, Sequence[tuple[_Woken, Delivery]]]) -> None:
        """One request per digest, like any other: it has its own preferences, caps and quiet hours
        to pass."""
        values: dict[int, list[bytes]] = defaultdict(list)
        for name, members in gathered.items():
            lines = await self._lines(
                [(delivery, each.profile) for each, delivery in members if each.profile]
            )
            entries = [each.entry for each, _ in members]
            category, now = members[0][1].category, self._mind.clock.now()
            request = digest_request(name, entries, lines, category, now)
            values[partition_for(request.user_id, self._partitions)].append(encode(request))
        records = [
            (partition, record)
            for partition, requests in values.items()
            for record in packed("requests", requests, _MOST)
        ]
        await send_all(self._producer, REQUESTS, records)


def _due(records: Sequence[Record]) -> list[_Due]:
    """The entries of these records, each once. Those of a bucket are in one record; where they are
    too large for that, each record has a digest of its own, however the records are read."""
    found: dict[str, _Due] = {}
    for record in records:
        entries = decode_internal(DueBatch, record.value).due
        buckets: dict[str, list[Deferred]] = defaultdict(list)
        for entry in entries:
            buckets[entry.digest].append(entry)
        names = {bucket: digest_id(members) for bucket, members in buckets.items() if bucket}
        for entry in entries:
            due = _Due(entry, record.partition, names.get(entry.digest, ""))
            found.setdefault(entry.schedule_id, due)
    return list(found.values())


def _wordless(
    request: NotificationRequest, looks: Sequence[Look], facts: Facts, error: Invalid
) -> list[Look]:
    """Its words were found fit once and have been taken away since: what has not ended otherwise
    ends by that."""
    found: list[Look] = []
    for look in looks:
        match look:
            case End():
                found.append(look)
                continue
            case Send(delivery):
                channels: tuple[Channel, ...] = (delivery.channel,)
            case Wait(deferred):
                channels = deferred.channels
        found += [
            End(early_outcome(request, channel, facts, State.FAILED, f"template: {error}"))
            for channel in channels
        ]
    return found


def _waits_again(woken: _Woken) -> bool:
    ids = {look.deferred.schedule_id for look in woken.case.looks if isinstance(look, Wait)}
    return woken.entry.schedule_id in ids


def _gathered(woken: Sequence[_Woken]) -> dict[str, list[tuple[_Woken, Delivery]]]:
    """What is to be told in digests, by their ids."""
    found: dict[str, list[tuple[_Woken, Delivery]]] = defaultdict(list)
    for each in woken:
        if each.digest:
            for look in each.case.looks:
                if isinstance(look, Send):
                    found[each.digest].append((each, look.delivery))
    return found


def _kept(each: _Woken) -> Case:
    """The case with what goes into a digest ended as part of that one."""
    if not each.digest:
        return each.case
    reason = f"digest:{each.digest}"
    looks = [
        End(
            early_outcome(
                each.case.request, look.delivery.channel, each.case.facts, State.SUPPRESSED,
                reason, look.trace,
            )
        )
        if isinstance(look, Send)
        else look
        for look in each.case.looks
    ]  # fmt: skip
    return each.case._replace(looks=looks)
