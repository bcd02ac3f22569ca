"""Every record that crosses a process boundary: frozen, framework-free, JSON on the wire."""

from tocsin.records.broadcast import Audience, Broadcast, Match, Page
from tocsin.records.cancellation import Cancellation
from tocsin.records.codec import decode, decode_internal, encode, split_requests
from tocsin.records.deferred import Deferred, DueBatch, schedule_id
from tocsin.records.delivery import Condition, Delivery, DeliveryBatch
from tocsin.records.engagement import Engagement
from tocsin.records.inventory import InventoryChange
from tocsin.records.letter import DeadLetter
from tocsin.records.notification import (
    CHANNELS,
    LANES,
    Channel,
    Lane,
    NotificationRequest,
    Priority,
    Strategy,
    check_send_at,
    is_compulsory,
    lane_of,
)
from tocsin.records.otp import OtpChallenge
from tocsin.records.outcome import TERMINAL, Outcome, OutcomeBatch, State
from tocsin.records.profile import Device, Preferences, Profile, QuietHours
from tocsin.records.subscription import Subscription
from tocsin.records.template import Template, TemplateVersion, Variable, Words

__all__ = [
    "CHANNELS", "LANES", "TERMINAL", "Audience", "Broadcast", "Cancellation", "Channel",
    "Condition", "DeadLetter", "Deferred", "Delivery", "DeliveryBatch", "Device", "DueBatch",
    "Engagement", "InventoryChange", "Lane", "Match", "NotificationRequest", "OtpChallenge",
    "Outcome",
    "OutcomeBatch", "Page", "Preferences", "Priority", "Profile", "QuietHours", "State",
    "Strategy", "Subscription", "Template", "TemplateVersion", "Variable", "Words",
    "check_send_at", "decode", "decode_internal", "encode", "is_compulsory", "lane_of",
    "schedule_id", "split_requests",
]  # fmt: skip
