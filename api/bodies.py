"""Request bodies that are not a record as it is, and how a body becomes one.

The rest of the bodies are tocsin.records themselves: what the API takes is what the topics take.
"""

from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tocsin.errors import Invalid
from tocsin.records import Audience, Channel, Device, Preferences, Priority, Strategy, decode
from tocsin.records.fields import Category, Count, Id, Instant, TypeName, sane
from tocsin.records.profile import Attribute, AttributeName, Email, Phone

Name = Annotated[str, Meta(max_length=200)]
Locale = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")]
Topics = Annotated[tuple[Id, ...], Meta(max_length=100)]
Attributes = Annotated[dict[AttributeName, Attribute], Meta(max_length=50)]
AttributeChanges = Annotated[dict[AttributeName, Attribute | None], Meta(max_length=100)]
MOST: Final = 1_000
"""Items in a `:batch`."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class UserBody(_Body, frozen=True):
    """A person to register, with whatever is known already: devices, preferences, the topics they
    follow, and the shop's own facts about them (`attributes`), which segments select by."""

    user_id: Id
    email: Email | None = None
    phone: Phone | None = None
    name: Name | None = None
    locale: Locale = "en"
    devices: dict[Id, Device] = {}
    preferences: Preferences = Preferences()
    topics: Topics = ()
    attributes: Attributes = {}


class UserChange(_Body, frozen=True):
    """JSON Merge Patch (RFC 7396): what is absent stays, null removes; so does a null among the
    attributes, which are merged, while topics are replaced."""

    email: Email | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    name: Name | UnsetType | None = UNSET
    locale: Locale | UnsetType = UNSET
    topics: Topics | UnsetType | None = UNSET
    attributes: AttributeChanges | UnsetType | None = UNSET


class DeviceBody(_Body, frozen=True):
    """A device's current token."""

    platform: Literal["ios", "android", "web"]
    token: Annotated[str, Meta(min_length=8, max_length=4096)]


class SubscriptionBody(_Body, frozen=True):
    """A back-in-stock sign-up. `user_id` is the token's for a user; `subscription_id` makes a
    repeated request harmless."""

    sku: Id
    user_id: Id | None = None
    subscription_id: Id | None = None
    channels: tuple[Channel, ...] = ()
    wanted: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    expires_at: Instant | None = None


class NotificationBody(_Body, frozen=True):
    """A request to tell one person one thing. Without `notification_id` one is made."""

    user_id: Id
    type: TypeName
    notification_id: Id | None = None
    data: dict[str, Any] = {}
    channels: tuple[Channel, ...] = ()
    priority: Priority = Priority.NORMAL
    strategy: Strategy | None = None
    template_id: Id | None = None
    template_version: Count | None = None
    category: Category | None = None
    dedupe_key: Id | None = None
    collapse_key: Id | None = None
    send_at: Instant | None = None
    expires_at: Instant | None = None


class BroadcastBody(_Body, frozen=True):
    """A request to tell everybody of an audience one thing, now or from `send_at` on."""

    audience: Audience
    type: TypeName
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


class OtpBody(_Body, frozen=True):
    """A one-time code to send. Without `channel`: by SMS, to somebody without a phone by push."""

    user_id: Id
    purpose: Id = "login"
    channel: Channel | None = None


class OtpCheck(_Body, frozen=True):
    """A code that somebody typed."""

    challenge_id: Id
    code: Annotated[str, Meta(pattern=r"^[0-9]{6,10}$")]


class ReadMark(_Body, frozen=True):
    """Whether an inbox item counts as read."""

    read: bool


class InboxIds(_Body, frozen=True):
    """Inbox items by their notification ids."""

    ids: Annotated[list[Id], Meta(min_length=1, max_length=1_000)]


def items(payload: bytes, name: str) -> list[bytes]:
    """The items of a batch, undecoded: ``{name: [...]}`` or a bare array, 1 to MOST of them."""
    if payload.lstrip()[:1] == b"[":
        listed = decode(list[msgspec.Raw], payload)
    else:
        listed = getattr(decode(_batch(name), payload), name)
    if not 1 <= len(listed) <= MOST:
        raise Invalid(name, f"1 to {MOST:,} items are taken at once, not {len(listed):,}")
    return [bytes(raw) for raw in listed]


@lru_cache
def _batch(name: str) -> type[msgspec.Struct]:
    return msgspec.defstruct("Batch", [(name, list[msgspec.Raw])], forbid_unknown_fields=True)
