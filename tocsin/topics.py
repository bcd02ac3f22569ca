"""The catalogue of Kafka topics: one line each, and nothing else creates a topic.

All topics keyed by user have the same number of partitions, so that a batch read from partition
p of one is written to partition p of the next (co-partitioning): per-user order holds from the
request to its outcome.
"""

from dataclasses import dataclass
from typing import Final

MAX_RECORD_BYTES: Final = 1_000_000
"""Larger values are refused at the API and dead-lettered on Kafka."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its name, what its key is, and how it is kept."""

    name: str
    key: str
    about: str
    compacted: bool = False
    internal: bool = False
    retention_hours: int = 168


INVENTORY = Topic("inventory.changes", "sku", "Sellable stock after a change, or a delta")
REQUESTS = Topic("notification.requests", "user_id", "One request, or {requests:[...]}")
OTP = Topic("notification.otp", "user_id", "OTP challenges; never the code")
PUSH = Topic("channel.push", "as read", "Push deliveries to make", internal=True)
SMS = Topic("channel.sms", "as read", "SMS deliveries to make", internal=True)
EMAIL = Topic("channel.email", "as read", "Email deliveries to make", internal=True)
INAPP = Topic("channel.inapp", "as read", "In-app deliveries to make", internal=True)
RETRY_SHORT = Topic("retry.short", "as read", "Retries due within 2 s", internal=True)
RETRY_MEDIUM = Topic("retry.medium", "as read", "Retries due within 30 s", internal=True)
RETRY_LONG = Topic("retry.long", "as read", "Retries due within 5 min", internal=True)
OUTCOMES = Topic("delivery.outcomes", "as read", "What became of deliveries")
ENGAGEMENT = Topic("engagement.events", "notification_id", "Clicks, opens, reads")
DEAD = Topic("notification.dead", "as consumed", "Records that could not be used, and why")
PROFILES = Topic("profiles", "user_id", "Users, or a tombstone", compacted=True)
SUBSCRIPTIONS = Topic(
    "subscriptions", "subscription_id", "Sign-ups, or a tombstone", compacted=True
)
TEMPLATES = Topic("templates", "template_id", "Templates, or a tombstone", compacted=True)

ALL: Final = (
    INVENTORY, REQUESTS, OTP, PUSH, SMS, EMAIL, INAPP, RETRY_SHORT, RETRY_MEDIUM, RETRY_LONG,
    OUTCOMES, ENGAGEMENT, DEAD, PROFILES, SUBSCRIPTIONS, TEMPLATES,
)  # fmt: skip

BY_CHANNEL: Final = {"push": PUSH, "sms": SMS, "email": EMAIL, "inapp": INAPP}
