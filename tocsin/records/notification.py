"""What a producer asks for: one person told one thing, on one or more channels."""

from enum import StrEnum
from typing import Any, Final

import msgspec

from tocsin.records.fields import Category, Id, Instant, TypeName, sane


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


class NotificationRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One request. `channels` empty means the type's own (streams/policy.py)."""

    notification_id: Id
    user_id: Id
    type: TypeName
    data: dict[str, Any] = {}
    channels: tuple[Channel, ...] = ()
    priority: Priority = Priority.NORMAL
    template_id: Id | None = None
    category: Category | None = None
    dedupe_key: Id | None = None
    collapse_key: Id | None = None
    send_at: Instant | None = None
    expires_at: Instant | None = None
    accepted_at: Instant | None = None

    def __post_init__(self) -> None:
        sane("send_at", self.send_at)
        sane("expires_at", self.expires_at)
        sane("accepted_at", self.accepted_at)
