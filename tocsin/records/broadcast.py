"""One message to many people, and how far it has come."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tocsin.records.fields import Category, Count, Id, Instant, TypeName, sane
from tocsin.records.notification import Channel, Priority, Strategy
from tocsin.records.profile import Attribute, AttributeName


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Match(_Part, frozen=True):
    """One attribute of a person against a value; a person without the attribute fails it, except
    `ne` and `absent`."""

    attribute: AttributeName
    op: Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "present", "absent"] = "eq"
    value: Attribute | Annotated[tuple[Attribute, ...], Meta(max_length=1_000)] | None = None


class Audience(_Part, frozen=True):
    """Who is told; exactly one of the three. `segment` is those who pass every match (none: all).
    `topic` is those who follow it. `admins` is those who follow the reserved topic ``admins``."""

    topic: Id | None = None
    segment: Annotated[tuple[Match, ...], Meta(max_length=20)] | None = None
    admins: bool = False

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


class Page(_Part, frozen=True):
    """The value of ``broadcasts.pages``: the next page of a fan-out begins after the user `after`
    ('' is the beginning); `looked_at` people were looked at before it, `told` of them told."""

    broadcast: Broadcast
    after: str = ""
    number: Count = 0
    looked_at: Count = 0
    told: Count = 0
