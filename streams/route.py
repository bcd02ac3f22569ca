"""The router agent: requests in; deliveries, waits and early outcomes out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Sequence
from typing import NamedTuple, Protocol

from streams.bury import Bury
from streams.carry_out import CarryOut, Case
from streams.consume import Record
from streams.decide import End, Facts, Look, decide, early_outcome
from streams.rules import Rules
from tocsin.clock import Clock
from tocsin.errors import Invalid
from tocsin.records import Channel, NotificationRequest, Profile, State, encode, split_requests
from tocsin.store import Notifications, Profiles, Seen

log = logging.getLogger(__name__)

Cancelled = Callable[[Sequence[str]], Awaitable[list[bool]]]
"""Which of these notification or broadcast ids were taken back."""


class Wording(NamedTuple):
    """A template found fit for a request's data, and the channels it can speak on."""

    template_id: str
    version: int
    channels: Container[Channel]


class Words(Protocol):
    """Chooses the words of a request. Raises `Invalid` naming the variable that is missing."""

    def __call__(self, request: NotificationRequest) -> Wording: ...


class Read(NamedTuple):
    """One request, the place in the log that brought it, and its words."""

    request: NotificationRequest
    place: str
    record: Record
    words: Wording


class Mind(NamedTuple):
    """What a decision is made with, for whoever makes one: the router, and what wakes."""

    rules: Rules
    words: Words
    profiles: Profiles
    cancelled: Cancelled
    clock: Clock


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
        reads = [read for record in records for read in await self._requests(record)]
        if not reads:
            return
        await self._carry_out([await self._case(*each) for each in await self._standing(reads)])

    async def _requests(self, record: Record) -> list[Read]:
        """What can be taken of a record. What cannot is buried before anything remembers its id, so
        that it can be put back."""
        found = []
        for index, request in enumerate(split_requests(record.value)):
            if isinstance(request, Invalid):
                await self._bury.one(*record[:4], request)
                continue
            try:
                words = self._mind.words(request)
            except Invalid as error:
                await self._bury.one(*record[:3], encode(request), error, request.notification_id)
                continue
            found.append(Read(request, f"{record.place}:{index}", record, words))
        return found

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
            taken_back(self._mind.cancelled, requests),
        )
        return [
            each
            for each in zip(reads, profiles, seen, cancelled, strict=True)
            if each[2] is not Seen.AGAIN
        ]

    async def _case(self, read: Read, profile: Profile | None, seen: Seen, cancelled: bool) -> Case:
        request, words = read.request, read.words
        now = self._mind.clock.now()
        facts = Facts(
            request.accepted_at or read.record.at, now, words.template_id, words.version,
            words.channels, seen is Seen.DUPLICATE, cancelled,
        )  # fmt: skip
        try:
            looks = decide(request, profile, facts, self._mind.rules)
        except Exception as error:
            # one request that cannot be decided on must not take its whole record along
            log.exception("%s cannot be routed", read.place)
            await self._bury.one(*read.record[:3], encode(request), error)
            looks = undecidable(request, facts, self._mind.rules)
        return Case(request, facts, looks, read.record.partition)


async def people(
    profiles: Profiles, requests: Sequence[NotificationRequest]
) -> list[Profile | None]:
    """The person of each request, each read once."""
    users = list(dict.fromkeys(request.user_id for request in requests))
    found = dict(zip(users, await profiles.get_many(users), strict=True))
    return [found[request.user_id] for request in requests]


async def taken_back(cancelled: Cancelled, requests: Sequence[NotificationRequest]) -> list[bool]:
    """Whether each was cancelled, by itself or with its broadcast."""
    ids = list(dict.fromkeys(r.broadcast_id or "" for r in requests)) + [
        request.notification_id for request in requests
    ]
    named = [each for each in ids if each]
    found = {name for name, is_so in zip(named, await cancelled(named), strict=True) if is_so}
    return [r.notification_id in found or (r.broadcast_id or "") in found for r in requests]


def undecidable(request: NotificationRequest, facts: Facts, rules: Rules) -> list[Look]:
    """How a request ends that a bug of ours cannot decide on."""
    channels = request.channels or rules.of(request.type).channels
    return [
        End(early_outcome(request, channel, facts, State.FAILED, "could not be routed"))
        for channel in dict.fromkeys(channels)
    ]
