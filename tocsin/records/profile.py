"""A person: how to reach them, and what they want. One entity, one key, one read."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tocsin.records.fields import Category, Id, Instant
from tocsin.records.notification import Channel

LocalTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Email = Annotated[str, Meta(pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}$")]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9]\d{6,14}$")]
"""E.164."""


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One installation of the shop's app. `token` is the vendor's device token."""

    platform: Literal["ios", "android", "web"]
    token: Annotated[str, Meta(min_length=8, max_length=4096)]
    updated_at: Instant | None = None


class QuietHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No messages between `start` and `end`, wall-clock times in the person's own zone."""

    start: LocalTime
    end: LocalTime


class Preferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person wants. `muted` holds category → channels switched off; absent means on."""

    opted_out: bool = False
    muted: dict[Category, tuple[Channel, ...]] = {}
    quiet_hours: QuietHours | None = None
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"


AttributeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Attribute = bool | float | Annotated[str, Meta(max_length=200)]
"""What segments are made of: a shop's own facts about a person."""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The value of ``profiles`` and of the Redis view. `version` grows by one on each change.

    `topics` are what broadcasts to a topic reach; `attributes` are what segments select by.
    """

    user_id: Id
    email: Email | None = None
    phone: Phone | None = None
    name: Annotated[str, Meta(max_length=200)] | None = None
    locale: Annotated[str, Meta(max_length=35)] = "en"
    devices: dict[Id, Device] = {}
    preferences: Preferences = Preferences()
    topics: Annotated[tuple[Id, ...], Meta(max_length=100)] = ()
    attributes: Annotated[dict[AttributeName, Attribute], Meta(max_length=50)] = {}
    created_at: Instant | None = None
    version: int = 0
