"""One message to many people, and how far it has come."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from tocsin.errors import Invalid
from tocsin.records.fields import Category, Count, Id, Instant, TypeName, sane
from tocsin.records.notification import Channel, Priority, Strategy
from tocsin.records.profile import Attribute, AttributeName
from tocsin.topics import MAX_RECORD_BYTES

ADMINS: Final = "admins"
"""The topic that the shop's own people follow; services alone say who does."""

_REQUEST_BYTES: Final = 1_500
"""More than a request for one of the people adds to a broadcast: two ids and an envelope."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Match(_Part, frozen=True):
    """One attribute of a person against a value; a person without the attribute fails it, except
    `ne` and `absent`. Types are compared strictly: a value of another type is another value, and
    neither before nor after it."""

    attribute: AttributeName
    op: Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "present", "absent"] = "eq"
    value: Attribute | Annotated[tuple[Attribute, ...], Meta(max_length=1_000)] | None = None

    def __post_init__(self) -> None:
        if self.op in ("present", "absent"):
            if self.value is not None:
                raise ValueError(f"`{self.op}` takes no `value`")
        elif self.op == "in":
            if not isinstance(self.value, tuple) or not self.value:
                raise ValueError("`in` takes a `value` that lists one or more")
        elif self.value is None or isinstance(self.value, tuple):
            raise ValueError(f"`{self.op}` takes one `value`: true, false, a number or a string")
        elif isinstance(self.value, bool) and self.op not in ("eq", "ne"):
            raise ValueError(f"`{self.op}` takes a `value` with an order: a number or a string")


class Audience(_Part, frozen=True):
    """Who is told; exactly one of the three. `segment` is those who pass every match (none: all).
    `topic` is those who follow it. `admins` is those who follow the reserved topic ``admins``. With
    `connected` only those of them who have a socket open when their turn comes; the others get
    nothing."""

    topic: Id | None = None
    segment: Annotated[tuple[Match, ...], Meta(max_length=20)] | None = None
    admins: bool = False
    connected: bool = False

    def __post_init__(self) -> None:
        if (self.topic is not None) + (self.segment is not None) + self.admins != 1:
            raise ValueError("exactly one of `topic`, `segment` and `admins` is needed")


class Broadcast(_Part, frozen=True):
    """The value of ``broadcasts``: a request without a user, and an audience."""

    broadcast_id: Id
    audience: Audience
    type: TypeName
    accepted_at: Instant
    data: dict[str, Any] = {}
    channels: tuple[Channel, ...] = ()
    priority: Priority = Priority.LOW
    strategy: Strategy | None = None
    template_id: Id | None = None
    template_version: Count | None = None
    category: Category | None = None
    collapse_key: Id | None = None
    send_at: Instant | None = None
    expires_at: Instant | None = None

    def __post_init__(self) -> None:
        sane("send_at", self.send_at)
        sane("expires_at", self.expires_at)

    def check(self, size: int) -> None:
        """Raises `Invalid` for what must not be fanned out; `size` is its JSON's, in bytes."""
        if self.type == "OTP":
            raise Invalid("type", "a one-time code is for one person: POST /v1/otp")
        if size + _REQUEST_BYTES > MAX_RECORD_BYTES:
            most = MAX_RECORD_BYTES - _REQUEST_BYTES
            raise Invalid("data", f"makes a record of more than {most:,} bytes")


class Page(_Part, frozen=True):
    """The value of ``broadcasts.pages``: the next page of a fan-out begins after the user `after`
    ('' is the beginning); `looked_at` people were looked at before it, `told` of them told."""

    broadcast: Broadcast
    after: str = ""
    number: Count = 0
    looked_at: Count = 0
    told: Count = 0
