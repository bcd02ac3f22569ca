"""The catalogue of Kafka topics: one line each, and nothing else creates a topic.

All topics keyed by user have the same number of partitions, so that a batch read from partition
p of one is written to partition p of the next (co-partitioning): per-user order holds from the
request to its outcome.
"""

from dataclasses import dataclass
from typing import Final

WEEK: Final = 168
"""Hours."""

MAX_RECORD_BYTES: Final = 1_000_000
"""Larger values are refused at the API and dead-lettered on Kafka."""


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """One topic: its name, what its key is, and how it is kept: `compacted` for ever, or for more
    than WEEK hours if it says so. Equal only to itself: there is one of each, and it is a key
    wherever batches are gathered."""

    name: str
    key: str
    about: str
    compacted: bool = False
    internal: bool = False
    retention_hours: int = WEEK


INVENTORY = Topic("inventory.changes", "sku", "Sellable stock after a change, or a delta")
REQUESTS = Topic("notification.requests", "user_id", "One request, or {requests:[...]}")
REQUESTS_HIGH = Topic("notification.requests.high", "user_id", "The same, critical and high")
REQUESTS_LOW = Topic("notification.requests.low", "user_id", "The same, low: campaigns")
OTP = Topic("notification.otp", "user_id", "OTP challenges; never the code")
PUSH = Topic("channel.push", "as read", "Push deliveries to make", internal=True)
SMS = Topic("channel.sms", "as read", "SMS deliveries to make", internal=True)
EMAIL = Topic("channel.email", "as read", "Email deliveries to make", internal=True)
INAPP = Topic("channel.inapp", "as read", "In-app deliveries to make", internal=True)
PUSH_HIGH = Topic("channel.push.high", "as read", "Critical and high ones", internal=True)
SMS_HIGH = Topic("channel.sms.high", "as read", "Critical and high ones", internal=True)
EMAIL_HIGH = Topic("channel.email.high", "as read", "Critical and high ones", internal=True)
INAPP_HIGH = Topic("channel.inapp.high", "as read", "Critical and high ones", internal=True)
PUSH_LOW = Topic("channel.push.low", "as read", "Low ones: campaigns", internal=True)
SMS_LOW = Topic("channel.sms.low", "as read", "Low ones: campaigns", internal=True)
EMAIL_LOW = Topic("channel.email.low", "as read", "Low ones: campaigns", internal=True)
INAPP_LOW = Topic("channel.inapp.low", "as read", "Low ones: campaigns", internal=True)
RETRY_SHORT = Topic("retry.short", "as read", "Retries due within 2 s", internal=True)
RETRY_MEDIUM = Topic("retry.medium", "as read", "Retries due within 30 s", internal=True)
RETRY_LONG = Topic("retry.long", "as read", "Retries due within 5 min", internal=True)
RETRY_SHORT_HIGH = Topic("retry.short.high", "as read", "Critical and high ones", internal=True)
RETRY_MEDIUM_HIGH = Topic("retry.medium.high", "as read", "Critical and high ones", internal=True)
RETRY_LONG_HIGH = Topic("retry.long.high", "as read", "Critical and high ones", internal=True)
SCHEDULE = Topic("schedule", "schedule_id", "What waits for its hour", True, internal=True)
DUE = Topic("schedule.due", "as read", "What waited and is to be decided on", internal=True)
DUE_HIGH = Topic("schedule.due.high", "as read", "Critical and high ones", internal=True)
DUE_LOW = Topic("schedule.due.low", "as read", "Low ones: campaigns", internal=True)
BROADCASTS = Topic("broadcasts", "broadcast_id", "A message to many, to be fanned out")
PAGES = Topic("broadcasts.pages", "broadcast_id", "How far a fan-out has come", internal=True)
CANCELLATIONS = Topic(
    "cancellations", "notification_id", "What was taken back", True, retention_hours=400 * 24
)
OUTCOMES = Topic("delivery.outcomes", "as read", "What became of deliveries")
ENGAGEMENT = Topic("engagement.events", "notification_id", "Clicks, opens, reads")
DEAD = Topic("notification.dead", "as consumed", "Records that could not be used, and why")
PROFILES = Topic("profiles", "user_id", "Users, or a tombstone", compacted=True)
SUBSCRIPTIONS = Topic(
    "subscriptions", "subscription_id", "Sign-ups, or a tombstone", compacted=True
)
TEMPLATES = Topic("templates", "template_id", "Templates, or a tombstone", compacted=True)

ALL: Final = (
    INVENTORY, REQUESTS, REQUESTS_HIGH, REQUESTS_LOW, OTP,
    PUSH, SMS, EMAIL, INAPP, PUSH_HIGH, SMS_HIGH, EMAIL_HIGH, INAPP_HIGH,
    PUSH_LOW, SMS_LOW, EMAIL_LOW, INAPP_LOW, RETRY_SHORT, RETRY_MEDIUM, RETRY_LONG,
    RETRY_SHORT_HIGH, RETRY_MEDIUM_HIGH, RETRY_LONG_HIGH,
    SCHEDULE, DUE, DUE_HIGH, DUE_LOW, BROADCASTS, PAGES, CANCELLATIONS,
    OUTCOMES, ENGAGEMENT, DEAD, PROFILES, SUBSCRIPTIONS, TEMPLATES,
)  # fmt: skip

DUE_BY_LANE: Final = {"high": DUE_HIGH, "normal": DUE, "low": DUE_LOW}

REQUESTS_BY_LANE: Final = {"high": REQUESTS_HIGH, "normal": REQUESTS, "low": REQUESTS_LOW}

BY_CHANNEL: Final = {
    ("push", "high"): PUSH_HIGH, ("push", "normal"): PUSH, ("push", "low"): PUSH_LOW,
    ("sms", "high"): SMS_HIGH, ("sms", "normal"): SMS, ("sms", "low"): SMS_LOW,
    ("email", "high"): EMAIL_HIGH, ("email", "normal"): EMAIL, ("email", "low"): EMAIL_LOW,
    ("inapp", "high"): INAPP_HIGH, ("inapp", "normal"): INAPP, ("inapp", "low"): INAPP_LOW,
}  # fmt: skip
"""Of a channel and a lane."""

RETRIES: Final = (RETRY_SHORT, RETRY_MEDIUM, RETRY_LONG)
RETRIES_HIGH: Final = (RETRY_SHORT_HIGH, RETRY_MEDIUM_HIGH, RETRY_LONG_HIGH)
"""Of the high lane: a topic holds so many batches at once, and the others' could be all of them."""
