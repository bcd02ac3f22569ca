"""The router agent: requests in; deliveries, waits and early outcomes out."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from streams.bury import Bury
from streams.carry_out import CarryOut, Case
from streams.consume import Record
from streams.decide import End, Facts, Look, decide, early_outcome
from streams.mind import Mind
from streams.rules import Rules
from tocsin.errors import Invalid, InvalidItem
from tocsin.records import NotificationRequest, Profile, State, encode, split_requests
from tocsin.store import Cancellations, Notifications, Profiles, Seen
from tocsin.templates import Chosen, Wanted

log = logging.getLogger(__name__)


class Read(NamedTuple):
    """One request, the place in the log that brought it, and its words."""

    request: NotificationRequest
    place: str
    record: Record
    words: Chosen


class Route:
    """Work for ``notification.requests`` of any lane: a few store calls per batch, whatever its
    size."""

    def __init__(
        self, mind: Mind, notifications: Notifications, carry_out: CarryOut, bury: Bury
    ) -> None:
        self._mind, self._notifications = mind, notifications
        self._carry_out, self._bury = carry_out, bury

    async def __call__(self, records: Sequence[Record]) -> None:
        """Durable when it returns: deliveries on their channels, waits in the schedule, outcomes of
        the rest."""
        reads = await self._worded(
            [each for record in records for each in await self._requests(record)]
        )
        if not reads:
            return
        standing = await self._standing(reads)
        now = self._mind.clock.now()
        await self._carry_out([await self._case(*each, now) for each in standing])

    async def _requests(self, record: Record) -> list[tuple[NotificationRequest, int, Record]]:
        found = []
        for index, request in enumerate(split_requests(record.value)):
            if isinstance(request, InvalidItem):
                # alone: its neighbours are dealt with, and must not come again when it is put back
                await self._bury.one(*record[:3], request.payload, request)
            elif isinstance(request, Invalid):
                await self._bury.one(*record[:4], request)
            else:
                found.append((request, index, record))
        return found

    async def _worded(self, asked: Sequence[tuple[NotificationRequest, int, Record]]) -> list[Read]:
        """Those whose data their words can be filled with. The others are buried before anything
        remembers their ids, so that they can be put back."""
        words = await self._mind.choose.many([wanted(request) for request, _, _ in asked])
        reads = []
        for (request, index, record), chosen in zip(asked, words, strict=True):
            if isinstance(chosen, Invalid):
                name = request.notification_id
                await self._bury.one(*record[:3], encode(request), chosen, name)
            else:
                reads.append(Read(request, f"{record.place}:{index}", record, chosen))
        return reads

    async def _standing(
        self, reads: Sequence[Read]
    ) -> list[tuple[Read, Profile | None, Seen, bool]]:
        """What there is to decide on; a notification id from elsewhere in the log is not."""
        requests = [read.request for read in reads]
        spans = [self._mind.rules.of(request.type).dedupe for request in requests]
        seen, profiles, cancelled = await asyncio.gather(
            self._notifications.seen(
                requests,
                [read.place for read in reads],
                [None if span is None else span.total_seconds() for span in spans],
            ),
            people(self._mind.profiles, requests),
            taken_back(self._mind.cancellations, requests),
        )
        return [
            each
            for each in zip(reads, profiles, seen, cancelled, strict=True)
            if each[2] is not Seen.AGAIN
        ]

    async def _case(
        self, read: Read, profile: Profile | None, seen: Seen, cancelled: bool, now: datetime
    ) -> Case:
        request, words = read.request, read.words
        facts = Facts(
            request.accepted_at or read.record.at, now, words.template_id, words.version,
            self._mind.catalogue.channels(words, profile.locale if profile else ""),
            seen is Seen.DUPLICATE, cancelled,
        )  # fmt: skip
        try:
            looks = decide(request, profile, facts, self._mind.rules)
        except Exception as error:
            # one request that cannot be decided on must not take its whole record along
            log.exception("%s cannot be routed", read.place)
            await self._bury.one(*read.record[:3], encode(request), error)
            looks = undecidable(request, facts, self._mind.rules)
        return Case(request, facts, looks, read.record.partition)


def wanted(request: NotificationRequest) -> Wanted:
    """What a request says of its words."""
    return Wanted(request.type, request.template_id, request.template_version, request.data)


async def people(
    profiles: Profiles, requests: Sequence[NotificationRequest]
) -> list[Profile | None]:
    """The person of each request, each read once."""
    users = list(dict.fromkeys(request.user_id for request in requests))
    found = dict(zip(users, await profiles.get_many(users), strict=True))
    return [found[request.user_id] for request in requests]


async def taken_back(
    cancellations: Cancellations, requests: Sequence[NotificationRequest]
) -> list[bool]:
    """Whether each was cancelled, by itself or with its broadcast."""
    ids = dict.fromkeys(
        name for r in requests for name in (r.notification_id, r.broadcast_id) if name
    )
    off = await cancellations.cancelled(list(ids))
    found = {name for name, is_off in zip(ids, off, strict=True) if is_off}
    return [r.notification_id in found or r.broadcast_id in found for r in requests]


def undecidable(request: NotificationRequest, facts: Facts, rules: Rules) -> list[Look]:
    """How a request ends that a bug of ours cannot decide on."""
    channels = request.channels or rules.of(request.type).channels
    return [
        End(early_outcome(request, channel, facts, State.FAILED, "could not be routed"))
        for channel in dict.fromkeys(channels)
    ]
