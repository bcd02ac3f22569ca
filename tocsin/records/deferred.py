"""What waits for its hour: a request (or what is left of it) that is to be decided on again."""

from typing import Literal

import msgspec

from tocsin.records.delivery import Condition
from tocsin.records.fields import Instant
from tocsin.records.notification import Channel, NotificationRequest

Why = Literal["send_at", "quiet_hours", "digest", "escalation"]


class Deferred(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of ``schedule`` under `schedule_id`, until a tombstone says that it was woken.

    `channels` are those still undecided. `unless` ends it when it has happened by then. With
    `digest` (a bucket of the store) it becomes one entry of one message with all of that bucket.
    """

    schedule_id: str
    request: NotificationRequest
    channels: tuple[Channel, ...]
    accepted_at: Instant
    due_at: Instant
    why: Why
    category: str = ""
    unless: Condition | None = None
    digest: str = ""


class DueBatch(msgspec.Struct, frozen=True):
    """The value of a record on ``schedule.due``."""

    due: list[Deferred]


def schedule_id(notification_id: str, channels: tuple[Channel, ...]) -> str:
    """The same wait has the same id, however often it is written down."""
    return f"{notification_id}:{'+'.join(channels)}"
