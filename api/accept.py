"""Taking notification requests: checked, given an id, durable in Kafka, answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeGuard

import msgspec

from api.batch import each, placed
from api.bodies import NotificationBody
from api.idempotent import Key
from api.known import KnownUsers
from api.people import unknown_user
from api.problems import FieldError, field_error
from api.publish import Publish
from tocsin.clock import Clock
from tocsin.errors import Invalid, TocsinError
from tocsin.ids import marked, new_id
from tocsin.records import Lane, NotificationRequest, check_send_at, decode, encode, lane_of
from tocsin.store import Cancellations, Profiles
from tocsin.templates import Choose, Chosen, Wanted
from tocsin.templates.built_in import OTP
from tocsin.topics import MAX_RECORD_BYTES, REQUESTS_BY_LANE

_NAME = "requests"
_OVERHEAD = len(b'{"requests":[]}')


class AllInvalid(Invalid):
    """No item of a batch is any good."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("", f"none of the {len(errors):,} requests can be taken")
        self.errors = errors


class AcceptedOne(msgspec.Struct):
    """The request is kept: from now on it ends in exactly one state per channel."""

    notification_id: str


class AcceptedMany(msgspec.Struct):
    """`notification_ids[i]` is of request i, null where it was rejected; `errors` says why."""

    accepted: int
    rejected: int
    notification_ids: list[str | None]
    errors: list[FieldError]


class _Reject(msgspec.Struct, array_like=True):
    index: int
    error: FieldError


_rejects = msgspec.json.Decoder(list[_Reject])


class Accept:
    """Both take the raw body: an idempotent answer given before is made from it again."""

    def __init__(
        self,
        profiles: Profiles,
        known: KnownUsers,
        choose: Choose,
        publish: Publish,
        cancellations: Cancellations,
        clock: Clock,
    ) -> None:
        self._profiles, self._known, self._publish = profiles, known, publish
        self._choose, self._cancellations, self._clock = choose, cancellations, clock

    async def one(self, raw: bytes, key: Key | None) -> AcceptedOne:
        """Raises `Invalid` for a wrong request, an unknown user, or data its words cannot be filled
        with."""
        body = decode(NotificationBody, raw)
        notification_id = _id(body, 0, key)

        async def work() -> bytes:
            _refuse_codes(body)
            chosen = await self._choose.one(_wanted(body))
            value = _value(body, notification_id, chosen, self._clock.now())
            if not await self._known.one(body.user_id):
                raise unknown_user(body.user_id)
            await self._cancellations.note([body.notification_id] if body.notification_id else [])
            topic = REQUESTS_BY_LANE[lane_of(body.priority)]
            await self._publish.one(topic, body.user_id, value)
            return b"[]"

        await (key.once(work) if key else work())
        return AcceptedOne(notification_id)

    async def many(self, raw: bytes, key: Key | None) -> AcceptedMany:
        """A bad request spoils only itself. Raises `AllInvalid` when none is good."""
        bodies = each(NotificationBody, raw, _NAME)
        ids: list[str | None] = [_id(body, i, key) for i, body in enumerate(bodies)]

        async def work() -> bytes:
            return encode(await self._take(bodies, ids))

        rejects = _rejects.decode(await (key.once(work) if key else work()))
        for reject in rejects:
            ids[reject.index] = None
        errors = [reject.error for reject in rejects]
        return AcceptedMany(len(ids) - len(errors), len(errors), ids, errors)

    async def _take(
        self, bodies: Sequence[NotificationBody | TocsinError], ids: Sequence[str | None]
    ) -> list[_Reject]:
        """Publish the good ones; why the others are not among them."""
        users = {body.user_id for body in bodies if isinstance(body, NotificationBody)}
        there = dict(zip(users, await self._profiles.known(list(users)), strict=True))
        words = iter(await self._choose.many([_wanted(b) for b in bodies if _readable(b)]))
        now = self._clock.now()
        good, rejects = [], []
        for index, (body, notification_id) in enumerate(zip(bodies, ids, strict=True)):
            try:
                chosen = next(words) if _readable(body) else None
                good.append(_checked(body, notification_id, chosen, there, now))
            except Invalid as error:
                rejects.append(_Reject(index, field_error(_in_place(error, index))))
        if not good:
            raise AllInvalid([reject.error for reject in rejects])
        # before Kafka has it: whatever was answered with 202 can be taken back at once
        await self._cancellations.note(_chosen(bodies))
        await self._publish.requests(good)
        return rejects


def _chosen(bodies: Sequence[NotificationBody | TocsinError]) -> list[str]:
    """Ids that are the callers' own."""
    return [
        body.notification_id
        for body in bodies
        if isinstance(body, NotificationBody) and body.notification_id
    ]


def _checked(
    body: NotificationBody | TocsinError,
    notification_id: str | None,
    chosen: Chosen | Invalid | None,
    there: Mapping[str, bool],
    now: datetime,
) -> tuple[Lane, str, bytes]:
    """(lane, user, request as JSON)."""
    if not isinstance(body, NotificationBody):
        raise body
    if not there[body.user_id]:
        raise unknown_user(body.user_id)
    _refuse_codes(body)
    if not isinstance(chosen, Chosen):
        raise chosen or AssertionError("words are chosen for every request that can be read")
    value = _value(body, notification_id or "", chosen, now)
    return lane_of(body.priority), body.user_id, value


def _readable(body: NotificationBody | TocsinError) -> TypeGuard[NotificationBody]:
    return isinstance(body, NotificationBody)


def _refuse_codes(body: NotificationBody) -> None:
    for field in ("type", "template_id"):
        if getattr(body, field) == OTP:
            raise Invalid(
                field, "one-time codes go through POST /v1/otp, or they would be on record"
            )


def _wanted(body: NotificationBody) -> Wanted:
    return Wanted(body.type, body.template_id, body.template_version, body.data)


def _in_place(error: Invalid, index: int) -> Invalid:
    return error if error.field.startswith(f"{_NAME}[") else placed(error, _NAME, index)


def _id(body: NotificationBody | TocsinError, index: int, key: Key | None) -> str:
    chosen = body.notification_id if isinstance(body, NotificationBody) else None
    return chosen or marked(key.id(index) if key else new_id())


def _value(body: NotificationBody, notification_id: str, chosen: Chosen, now: datetime) -> bytes:
    """The request as a record, its words pinned: what is published later cannot make it wrong.

    Raises `Invalid` for one that no record can hold.
    """
    check_send_at(body.send_at, now)
    value = encode(
        NotificationRequest(
            notification_id=notification_id,
            user_id=body.user_id,
            type=body.type,
            data=body.data,
            channels=body.channels,
            priority=body.priority,
            strategy=body.strategy,
            template_id=chosen.template_id,
            template_version=chosen.version,
            category=body.category,
            dedupe_key=body.dedupe_key,
            collapse_key=body.collapse_key,
            send_at=body.send_at,
            expires_at=body.expires_at,
            accepted_at=now,
        )
    )
    if len(value) + _OVERHEAD > MAX_RECORD_BYTES:
        raise Invalid("data", f"makes a record of more than {MAX_RECORD_BYTES:,} bytes")
    return value
