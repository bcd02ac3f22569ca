"""Buying: the goods leave the shelf, and the buyer is told. Pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from api.bodies import NotificationBody
from api.shop.products import PRODUCTS, product
from tocsin.errors import Invalid, Refused
from tocsin.records import InventoryChange, Priority


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of one product."""

    sku: str
    quantity: Annotated[int, Meta(ge=1, le=100)]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A basket."""

    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=48)]


class Placed(msgspec.Struct, frozen=True):
    """The order is taken; the stock goes down and the confirmation is on its way."""

    order: str
    notification_id: str
    items: int
    total: str


def checked(order: Order, stock: Mapping[str, int | None]) -> None:
    """Raises `Invalid` for what is not sold here or named twice, `Refused` ("sold_out")."""
    seen: set[str] = set()
    for place, line in enumerate(order.lines):
        name = product(line.sku, f"lines[{place}].sku").name
        if line.sku in seen:
            raise Invalid(f"lines[{place}].sku", "is in the basket already: add up the quantities")
        seen.add(line.sku)
        left = stock.get(line.sku) or 0
        if left < line.quantity:
            raise Refused("sold_out", f"{name}: {f'only {left} left' if left else 'sold out'}")


def changes(order: Order, order_id: str, now: datetime) -> list[InventoryChange]:
    """What leaves the shelves."""
    return [
        InventoryChange(
            event_id=f"shop:order:{order_id}:{line.sku}",
            sku=line.sku,
            occurred_at=now,
            delta=-line.quantity,
        )
        for line in order.lines
    ]


def placed(order: Order, order_id: str) -> Placed:
    """What the buyer is shown; the order's number is short enough to be read aloud."""
    total = sum(Decimal(PRODUCTS[line.sku].price) * line.quantity for line in order.lines)
    items = sum(line.quantity for line in order.lines)
    number = f"{int(order_id[:8], 16) % 900_000 + 100_000}"
    return Placed(number, order_id, items, f"{total:.2f}")


def confirmation(user_id: str, order: Placed) -> NotificationBody:
    """What the buyer is told."""
    return NotificationBody(
        user_id=user_id,
        type="ORDER_CONFIRMATION",
        notification_id=order.notification_id,
        priority=Priority.HIGH,
        data={
            "order": order.order,
            "items": order.items,
            "total": order.total,
            "currency": "GBP",
        },
    )
