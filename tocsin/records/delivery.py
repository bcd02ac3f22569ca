"""The internal hop from the router to a channel: many deliveries in one Kafka record."""

from enum import StrEnum
from typing import Any

import msgspec

from tocsin.records.fields import Instant
from tocsin.records.notification import Channel, Priority


class Condition(StrEnum):
    """What the person may do meanwhile that makes a later channel needless: a device of theirs has
    acknowledged the in-app message, or they have read it."""

    ACKED = "acked"
    READ = "read"


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """One notification on one channel, without an address: the sender reads that at the end.

    `template_version` 0 is the bundled one; `locale` is the person's when it was routed. `unless`
    holds for a step of a cascade: it is not sent if that has happened by `not_before`. `tried_at`
    is when its first attempt ended, if there was one. `attempt` counts every time it is handed to a
    sender, `held` those when no provider was asked because it failed. `broadcast_id` is the
    broadcast's it is of, if any: cancelled, it is not sent. `expires_at` is when it makes no sense
    to send it any more; `ends_at`, if its sender said so, when whoever has got it is to see it no
    more.
    """

    notification_id: str
    user_id: str
    channel: Channel
    type: str
    category: str
    template_id: str
    data: dict[str, Any]
    accepted_at: Instant
    priority: Priority = Priority.NORMAL
    expires_at: Instant | None = None
    collapse_key: str | None = None
    attempt: int = 1
    not_before: Instant | None = None
    template_version: int = 0
    locale: str = ""
    unless: Condition | None = None
    tried_at: Instant | None = None
    broadcast_id: str | None = None
    ends_at: Instant | None = None
    held: int = 0

    @property
    def delivery_id(self) -> str:
        """The same delivery has the same id on every attempt, in every process."""
        return f"{self.notification_id}:{self.channel}"

    @property
    def tries(self) -> int:
        """How often a provider was asked, this time included unless it is held."""
        return self.attempt - self.held


class DeliveryBatch(msgspec.Struct, frozen=True):
    """The value of a record on ``channel.*`` and ``retry.*``."""

    deliveries: list[Delivery]
