"""The router agent: requests in; deliveries, waits and early outcomes out."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from streams.bury import Bury
from streams.carry_out import CarryOut, Case
from streams.consume import Record
from streams.convert import Convert
from streams.decide import End, Facts, Look, decide, early_outcome
from streams.mind import Mind
from streams.rules import Rules
from tocsin.errors import Invalid, InvalidItem
from tocsin.records import (
    NotificationRequest,
    Profile,
    State,
    check_send_at,
    encode,
    split_requests,
)
from tocsin.store import Cancellations, Notifications, Profiles, Seen
from tocsin.templates import Chosen, Wanted
from tocsin.templates.built_in import OTP

log = logging.getLogger(__name__)


class Read(NamedTuple):
    """One request, the place in the log that brought it, and its words."""

    request: NotificationRequest
    place: str
    record: Record
    words: Chosen


class _Bad(NamedTuple):
    """What `Bury.one` takes."""

    topic: str
    partition: int
    offset: int
    payload: bytes
    error: Exception
    notification_id: str = ""


class Route:
    """Work for ``notification.requests`` of any lane: a few store calls per batch, whatever its
    size."""

    def __init__(
        self,
        mind: Mind,
        notifications: Notifications,
        carry_out: CarryOut,
        bury: Bury,
        convert: Convert | None = None,
    ) -> None:
        """Without `convert` orders are no sales."""
        self._mind, self._notifications = mind, notifications
        self._carry_out, self._bury, self._convert = carry_out, bury, convert

    async def __call__(self, records: Sequence[Record]) -> None:
        """Durable when it returns: deliveries on their channels, waits in the schedule, outcomes of
        the rest. What is wrong is buried last: a batch that is tried again and again until the
        store is back has one letter for each, not one a try."""
        bad: list[_Bad] = []
        reads = await self._worded(_requests(records, bad), bad)
        if reads:
            standing = await self._standing(reads)
            now = self._mind.clock.now()
            await self._carry_out([self._case(*each, now, bad) for each in standing])
        if self._convert:
            await self._convert([(read.request, read.record.at) for read in reads])
        for each in bad:
            await self._bury.one(*each)

    async def _worded(
        self, asked: Sequence[tuple[NotificationRequest, int, Record]], bad: list[_Bad]
    ) -> list[Read]:
        """Those whose data their words can be filled with. Nothing remembers the ids of the others,
        so that they can be put back."""
        words = await self._mind.choose.many([wanted(request) for request, _, _ in asked])
        reads = []
        for (request, index, record), chosen in zip(asked, words, strict=True):
            if isinstance(chosen, Invalid):
                name = request.notification_id
                bad.append(_Bad(*record[:3], encode(request), chosen, name))
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

    def _case(
        self,
        read: Read,
        profile: Profile | None,
        seen: Seen,
        cancelled: bool,
        now: datetime,
        bad: list[_Bad],
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
            about = {"place": read.place, "notification_id": request.notification_id}
            log.exception("%s cannot be routed", read.place, extra=about)
            bad.append(_Bad(*read.record[:3], encode(request), error))
            looks = undecidable(request, facts, self._mind.rules)
        return Case(request, facts, looks, read.record.partition)


def _requests(
    records: Sequence[Record], bad: list[_Bad]
) -> list[tuple[NotificationRequest, int, Record]]:
    """(request, its index, its record). Raises `Invalid` for a record that is wrong as a whole."""
    found = []
    for record in records:
        for index, request in enumerate(split_requests(record.value)):
            if isinstance(request, InvalidItem):
                # alone: its neighbours are dealt with, and must not come again when it is put back
                bad.append(_Bad(*record[:3], request.payload, request))
            elif isinstance(request, Invalid):
                bad.append(_Bad(*record[:4], request))
            elif isinstance(wrong := _wrong(request, record), Invalid):
                bad.append(_Bad(*record[:3], _letter(request), wrong, request.notification_id))
            else:
                found.append((request, index, record))
    return found


def _letter(request: NotificationRequest) -> bytes:
    """What is kept of it: a one-time code must not be in a letter either."""
    code = OTP in (request.type, request.template_id)
    return encode(replace(request, data={}) if code else request)


def _wrong(request: NotificationRequest, record: Record) -> Invalid | None:
    """What the API refuses in a request that can be read."""
    for field in ("type", "template_id"):
        if getattr(request, field) == OTP:
            return Invalid(field, "one-time codes go through POST /v1/otp, or they are on record")
    try:
        check_send_at(request.send_at, record.at)
    except Invalid as error:
        return error
    return None


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
    """How a request (or what of it has waited) ends that a bug of ours cannot decide on."""
    woken = facts.woken.channels if facts.woken else ()
    channels = woken or request.channels or rules.of(request.type).channels
    return [
        End(early_outcome(request, channel, facts, State.FAILED, "could not be routed"))
        for channel in dict.fromkeys(channels)
    ]
