"""Records for tests of the senders."""

from datetime import UTC, datetime, timedelta
from typing import Any

from actors.message import Content, Message
from tocsin.records import Channel, Delivery, Device, Priority, Profile

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def delivery(number: int | str = 1, **changes: Any) -> Delivery:
    """A push about an order of user u1."""
    fields: dict[str, Any] = {
        "notification_id": f"n{number}",
        "user_id": "u1",
        "channel": Channel.PUSH,
        "type": "ORDER_CONFIRMATION",
        "category": "transactional",
        "template_id": "ORDER_CONFIRMATION",
        "data": {"order": "536365", "items": 7, "total": "139.12", "currency": "GBP"},
        "accepted_at": NOW,
        "priority": Priority.NORMAL,
        "expires_at": NOW + timedelta(days=1),
    }
    return Delivery(**fields | changes)


def profile(user_id: str = "u1", **changes: Any) -> Profile:
    """A person with one of everything."""
    fields: dict[str, Any] = {
        "user_id": user_id,
        "email": f"{user_id}@example.com",
        "phone": "+447700900123",
        "name": "Anna",
        "devices": {"phone": Device("ios", "ab" * 32)},
    }
    return Profile(**fields | changes)


def message(number: int | str = 1, **changes: Any) -> Message:
    """A message as a provider gets it."""
    fields: dict[str, Any] = {
        "delivery_id": f"n{number}:push",
        "type": "ORDER_CONFIRMATION",
        "address": "ab" * 32,
        "content": Content("We have your order.", "Order confirmed", link="https://shop/x"),
        "priority": Priority.HIGH,
        "expires_at": NOW + timedelta(days=1),
    }
    return Message(**fields | changes)
