"""What became of deliveries: the record ClickHouse is filled from."""

from enum import StrEnum
from typing import Final

import msgspec

from tocsin.records.fields import Instant


class State(StrEnum):
    """`accepted` opens a delivery; those in TERMINAL end it; `deferred`, `routed` (after it was
    deferred) and `retry` are stations between, on record so that a path can be told. `acked` is a
    receipt: a device of the person's has it. It ends nothing, and may be heard before the end."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RETRY = "retry"
    DEFERRED = "deferred"
    ROUTED = "routed"
    ACKED = "acked"


TERMINAL: Final = frozenset(
    {State.DELIVERED, State.FAILED, State.SUPPRESSED, State.EXPIRED, State.CANCELLED}
)


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One state of one delivery. `accepted_at` and `at` are host times, milliseconds matter.

    `trace` is the router's decision, step by step, as ``step=result;step=result``; `due_at` is when
    a deferred or retried one is looked at again. A receipt's `attempt` is 0: nothing was tried.

    Where it went is told without an address: `destination` is a mailbox's domain, a number's
    country and carrier prefix (its first five digits), or a device's platform. What it said is told
    without its words: `content_hash` of the rendered text and `data_hash` of the variables (32 bits
    each) recognise a message that is rendered again from template, version and data.
    """

    delivery_id: str
    notification_id: str
    user_id: str
    channel: str
    type: str
    state: State
    attempt: int
    accepted_at: Instant
    at: Instant
    reason: str = ""
    provider: str = ""
    provider_message_id: str = ""
    template_id: str = ""
    retry_after: float | None = None
    template_version: int = 0
    trace: str = ""
    due_at: Instant | None = None
    destination: str = ""
    content_hash: int = 0
    data_hash: int = 0


class OutcomeBatch(msgspec.Struct, frozen=True):
    """The value of a record on ``delivery.outcomes``."""

    outcomes: list[Outcome]
