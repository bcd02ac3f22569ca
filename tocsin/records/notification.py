"""What a producer asks for: one person told one thing, on one or more channels."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from tocsin.errors import Invalid
from tocsin.records.fields import Category, Count, Id, Instant, TypeName, sane


class Channel(StrEnum):
    """How a person is reached."""

    INAPP = "inapp"
    PUSH = "push"
    SMS = "sms"
    EMAIL = "email"


CHANNELS: Final = tuple(Channel)


class Priority(StrEnum):
    """critical: OTP, security; high: transactional; normal; low: promotional."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Lane(StrEnum):
    """Which queue a message stands in. Each lane has its own topics, so what is low never delays
    what is high."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


LANES: Final = tuple(Lane)

SECURITY: Final = "security"
"""The category whose critical messages go out whatever the person prefers."""


def is_compulsory(priority: Priority, category: str) -> bool:
    """Whether opt-out and muting do not count: log-in codes and security warnings, and nothing that
    merely calls itself critical."""
    return priority is Priority.CRITICAL and category == SECURITY


def lane_of(priority: Priority) -> Lane:
    """critical and high share a lane; critical goes first in every batch of it."""
    if priority is Priority.NORMAL:
        return Lane.NORMAL
    return Lane.LOW if priority is Priority.LOW else Lane.HIGH


class Strategy(StrEnum):
    """all: every channel at once. first: the first one that can reach the person. cascade: in-app,
    then push unless a socket acknowledges at once, then the others while it stays unread."""

    ALL = "all"
    FIRST = "first"
    CASCADE = "cascade"


MOST_AHEAD: Final = timedelta(days=366)
"""How far ahead `send_at` may lie: whatever is kept because of it is kept a little longer."""


def check_send_at(send_at: datetime | None, now: datetime) -> None:
    """Raises `Invalid` for an hour that nobody can promise to remember until then."""
    if send_at is not None and send_at > now + MOST_AHEAD:
        raise Invalid("send_at", f"lies more than {MOST_AHEAD.days} days ahead")


class NotificationRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One request. `channels` empty and `strategy` absent mean the type's own (streams/rules.toml).

    `template_version` pins the words (0: the bundled ones); without it the version published when
    the request is routed is used. `broadcast_id` names the broadcast it is part of.
    """

    notification_id: Id
    user_id: Id
    type: TypeName
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
    accepted_at: Instant | None = None
    broadcast_id: Id | None = None

    def __post_init__(self) -> None:
        sane("send_at", self.send_at)
        sane("expires_at", self.expires_at)
        sane("accepted_at", self.accepted_at)
