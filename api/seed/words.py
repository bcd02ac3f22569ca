"""What the seed documents' readers call channels, priorities, platforms and types."""

import re
from typing import Any, Final

from tocsin.errors import Invalid

CHANNELS: Final = {
    "push": "push", "mobile": "push", "pushnotification": "push", "apns": "push", "fcm": "push",
    "email": "email", "mail": "email",
    "sms": "sms", "text": "sms", "textmessage": "sms",
    "inapp": "inapp", "websocket": "inapp", "ws": "inapp", "inbox": "inapp", "web": "inapp",
}  # fmt: skip

_PRIORITIES: Final = {"urgent": "critical", "medium": "normal", "standard": "normal"}
_PLATFORMS: Final = {"apns": "ios", "iphone": "ios", "fcm": "android", "webpush": "web"}
_CATEGORIES: Final = {
    "marketing": "promotional", "promotion": "promotional", "promotions": "promotional",
    "offers": "promotional", "restock": "stock", "orders": "transactional",
    "order": "transactional",
}  # fmt: skip
_OF_TYPE: Final = {
    "BACK_IN_STOCK": "stock", "SALE_OFFER": "promotional", "NEWSLETTER": "promotional",
    "REVIEW": "promotional", "ORDER_CONFIRMATION": "transactional",
    "ORDER_UPDATE": "transactional", "COMPLAINT_RESPONSE": "transactional",
    "NEW_COMPLAINT": "transactional", "OTP": "security",
}  # fmt: skip
"""The known types' categories, as the router has them."""

_IOS_TOKEN: Final = re.compile(r"[0-9a-fA-F]{64,160}")
_BOUNDARY: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[-\s]+")


def channels(said: Any) -> Any:
    """A channel, or a list of them, as canonical names; "all" is an empty list. What is no word of
    ours stays as it is and where it is, for the canonical body to refuse."""
    if isinstance(said, str):
        said = [] if said.lower() == "all" else [said]
    if not isinstance(said, list):
        return said
    return [channel(each) or each for each in said]


def channel(said: Any) -> str | None:
    """The channel a word means."""
    return CHANNELS.get(_plain(said)) if isinstance(said, str) else None


def priority(said: Any) -> Any:
    """`HIGH` and `urgent` as canonical names."""
    return _PRIORITIES.get(_plain(said), said.lower()) if isinstance(said, str) else said


def platform(said: Any, token: Any) -> Any:
    """The platform; without a word by the token's looks: 64 or more hex digits are Apple's."""
    if isinstance(said, str):
        return _PLATFORMS.get(_plain(said), said.lower())
    if said is None:
        return "ios" if isinstance(token, str) and _IOS_TOKEN.fullmatch(token) else "android"
    return said


def type_name(said: Any) -> Any:
    """`order_update`, `order-update` and `orderUpdate` as ORDER_UPDATE."""
    return _BOUNDARY.sub("_", said).upper() if isinstance(said, str) else said


def category(said: Any) -> Any:
    """A category, or the category of a type."""
    if not isinstance(said, str):
        return said
    known = _OF_TYPE.get(type_name(said)) or _CATEGORIES.get(_plain(said))
    return known or said.lower()


def text(said: Any, name: str) -> str:
    """An identifier: a string, or a number as shops' databases have them. Raises `Invalid`."""
    if isinstance(said, str) or (isinstance(said, int) and not isinstance(said, bool)):
        return str(said)
    raise Invalid(name, "expected a string")


def _plain(said: str) -> str:
    return re.sub(r"[-_\s]", "", said).lower()
