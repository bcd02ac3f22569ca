"""The operational store (Redis or Valkey): a fast view of the log, one call per batch."""

from tocsin.store.audience import Audiences
from tocsin.store.broadcasts import Broadcasts
from tocsin.store.cancellations import Cancellations
from tocsin.store.claims import Claim, Claims, SendResult
from tocsin.store.client import connect
from tocsin.store.notifications import Notifications, Seen
from tocsin.store.profiles import Profiles
from tocsin.store.subscriptions import Restocked, Subscriptions
from tocsin.store.templates import Templates
from tocsin.store.view import View

__all__ = [
    "Audiences", "Broadcasts", "Cancellations", "Claim", "Claims", "Notifications", "Profiles",
    "Restocked", "Seen", "SendResult", "Subscriptions", "Templates", "View", "connect",
]  # fmt: skip
