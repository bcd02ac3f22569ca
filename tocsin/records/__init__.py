"""Every record that crosses a process boundary: frozen, framework-free, JSON on the wire."""

from tocsin.records.codec import decode, decode_internal, encode, split_requests
from tocsin.records.delivery import Delivery, DeliveryBatch
from tocsin.records.engagement import Engagement
from tocsin.records.inventory import InventoryChange
from tocsin.records.letter import DeadLetter
from tocsin.records.notification import CHANNELS, Channel, NotificationRequest, Priority
from tocsin.records.otp import OtpChallenge
from tocsin.records.outcome import TERMINAL, Outcome, OutcomeBatch, State
from tocsin.records.profile import Device, Preferences, Profile, QuietHours
from tocsin.records.subscription import Subscription

__all__ = [
    "CHANNELS", "TERMINAL", "Channel", "DeadLetter", "Delivery", "DeliveryBatch", "Device",
    "Engagement", "InventoryChange", "NotificationRequest", "OtpChallenge", "Outcome",
    "OutcomeBatch", "Preferences", "Priority", "Profile", "QuietHours", "State", "Subscription",
    "decode", "decode_internal", "encode", "split_requests",
]  # fmt: skip
