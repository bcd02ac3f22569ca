"""The waking agent: what has waited for its hour is decided on again, as the world is now."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer

from streams.carry_out import CarryOut, Case
from streams.consume import Record
from streams.decide import End, Facts, Look, Send, Wait, decide, early_outcome
from streams.digest import Lines, digest_request
from streams.mind import Mind
from streams.route import people, taken_back, undecidable, wanted
from tocsin.errors import Invalid
from tocsin.kafka import packed, partition_for, send_all, send_keyed
from tocsin.records import (
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


class _Woken(NamedTuple):
    entry: Deferred
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
        due = {
            entry.schedule_id: (entry, record.partition)
            for record in records
            for entry in decode_internal(DueBatch, record.value).due
        }
        woken = await self._looked_at(list(due.values()))
        gathered = _gathered(woken)
        await self._tell(gathered)
        await self._carry_out([_kept(each, gathered) for each in woken])
        over = [each.entry for each in woken if not _waits_again(each)]
        await send_keyed(self._producer, SCHEDULE, [(e.schedule_id, None) for e in over])
        await self._schedule.done(over)

    async def _looked_at(self, due: Sequence[tuple[Deferred, int]]) -> list[_Woken]:
        requests = [entry.request for entry, _ in due]
        profiles, cancelled, happened = await asyncio.gather(
            people(self._mind.profiles, requests),
            taken_back(self._mind.cancellations, requests),
            self._happened([entry for entry, _ in due]),
        )
        words = await self._mind.choose.many([wanted(request) for request in requests])
        return [
            _Woken(
                entry,
                profile,
                self._case(entry, partition, profile, chosen, off, entry.schedule_id in happened),
            )
            for (entry, partition), profile, chosen, off in zip(
                due, profiles, words, cancelled, strict=True
            )
        ]

    async def _happened(self, entries: Sequence[Deferred]) -> set[str]:
        asked = [(e, e.unless) for e in entries if e.unless is not None]
        found = await self._inbox.happened(
            [(e.request.user_id, e.request.notification_id, unless) for e, unless in asked]
        )
        return {e.schedule_id for (e, _), so in zip(asked, found, strict=True) if so}

    def _case(
        self,
        entry: Deferred,
        partition: int,
        profile: Profile | None,
        chosen: Chosen | Invalid,
        cancelled: bool,
        happened: bool,
    ) -> Case:
        request = entry.request
        facts = Facts(
            entry.accepted_at, self._mind.clock.now(), request.template_id or request.type,
            request.template_version or 0, cancelled=cancelled, woken=entry, happened=happened,
        )  # fmt: skip
        looks: Sequence[Look]
        if isinstance(chosen, Invalid):
            # its words were found fit once and have been taken away since
            reason = f"template: {chosen}"
            ends = [
                End(early_outcome(request, channel, facts, State.FAILED, reason))
                for channel in entry.channels
            ]
            return Case(request, facts, ends, partition)
        locale = profile.locale if profile else ""
        facts = facts._replace(words=self._mind.catalogue.channels(chosen, locale))
        try:
            looks = decide(request, profile, facts, self._mind.rules)
        except Exception:
            log.exception("%s cannot be decided on", entry.schedule_id)
            looks = undecidable(request, facts, self._mind.rules)
        return Case(request, facts, looks, partition)

    async def _tell(self, gathered: Mapping[str, Sequence[tuple[_Woken, Delivery]]]) -> None:
        """One request per digest, like any other: it has its own preferences, caps and quiet hours
        to pass."""
        values: dict[int, list[bytes]] = defaultdict(list)
        for members in gathered.values():
            lines = await self._lines(
                [(delivery, each.profile) for each, delivery in members if each.profile]
            )
            request = _digest(members, lines, self._mind.clock.now())
            values[partition_for(request.user_id, self._partitions)].append(encode(request))
        records = [
            (partition, record)
            for partition, requests in values.items()
            for record in packed("requests", requests, _MOST)
        ]
        await send_all(self._producer, REQUESTS, records)


def _waits_again(woken: _Woken) -> bool:
    ids = {look.deferred.schedule_id for look in woken.case.looks if isinstance(look, Wait)}
    return woken.entry.schedule_id in ids


def _gathered(woken: Sequence[_Woken]) -> dict[str, list[tuple[_Woken, Delivery]]]:
    """What is to be told in digests, by bucket."""
    found: dict[str, list[tuple[_Woken, Delivery]]] = defaultdict(list)
    for each in woken:
        if each.entry.digest:
            for look in each.case.looks:
                if isinstance(look, Send):
                    found[each.entry.digest].append((each, look.delivery))
    return found


def _digest(
    members: Sequence[tuple[_Woken, Delivery]], lines: Sequence[dict[str, str]], now: datetime
) -> NotificationRequest:
    entries = [each.entry for each, _ in members]
    return digest_request(entries, lines, members[0][1].category, now)


def _kept(each: _Woken, gathered: Mapping[str, Sequence[tuple[_Woken, Delivery]]]) -> Case:
    """The case with what went into a digest ended as part of that one."""
    members = gathered.get(each.entry.digest)
    if not members:
        return each.case
    request = _digest(members, (), each.case.facts.now)
    reason = f"digest:{request.notification_id}"
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
