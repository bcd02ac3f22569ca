"""What each type of notification is by default: category, channels, how hard it is tried."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tocsin.records import Channel
from tocsin.records.notification import Priority

INAPP, PUSH, SMS, EMAIL = Channel.INAPP, Channel.PUSH, Channel.SMS, Channel.EMAIL


@dataclass(frozen=True, slots=True)
class TypePolicy:
    """`category` is what preferences switch; `lifetime` is how long a message makes sense."""

    category: str
    channels: tuple[Channel, ...]
    lifetime: timedelta = timedelta(days=1)


_KNOWN: Final = {
    "BACK_IN_STOCK": TypePolicy("stock", (INAPP, PUSH, EMAIL)),
    "ORDER_CONFIRMATION": TypePolicy("transactional", (INAPP, EMAIL), timedelta(days=3)),
    "ORDER_UPDATE": TypePolicy("transactional", (INAPP, PUSH, SMS), timedelta(days=3)),
    "SALE_OFFER": TypePolicy("promotional", (INAPP, PUSH)),
    "NEWSLETTER": TypePolicy("promotional", (EMAIL,), timedelta(days=3)),
    "REVIEW": TypePolicy("promotional", (INAPP, EMAIL), timedelta(days=3)),
    "COMPLAINT_RESPONSE": TypePolicy("transactional", (INAPP, EMAIL), timedelta(days=3)),
    "NEW_COMPLAINT": TypePolicy("transactional", (INAPP, EMAIL), timedelta(days=3)),
    "OTP": TypePolicy("security", (SMS,), timedelta(minutes=5)),
}
_OTHER: Final = TypePolicy("general", (INAPP, PUSH))

ATTEMPTS: Final = {Priority.CRITICAL: 8, Priority.HIGH: 8, Priority.NORMAL: 6, Priority.LOW: 4}
"""Provider calls per delivery before it is a failure, by priority."""


def policy_of(type_name: str) -> TypePolicy:
    """The type's policy; a shop's own types go in-app and by push."""
    return _KNOWN.get(type_name, _OTHER)
