"""What happens in the shop, in the file's own order.

`at` is file time (UTC), `row` the ordinal of the row that caused the event (from 1).
"""

from datetime import datetime
from decimal import Decimal

import msgspec


class Register(msgspec.Struct, frozen=True, gc=False):
    """A customer seen for the first time."""

    at: datetime
    row: int
    customer: str


class Login(msgspec.Struct, frozen=True, gc=False):
    """A customer logs in to buy: one OTP. `nth` counts the customer's log-ins, from 1."""

    at: datetime
    row: int
    customer: str
    nth: int


class SignUp(msgspec.Struct, frozen=True, gc=False):
    """A customer wanted more than there was, and waits for the SKU."""

    at: datetime
    row: int
    customer: str
    sku: str


class Stock(msgspec.Struct, frozen=True, gc=False):
    """A SKU's shelf after a row, or after a restock. `number` counts these events, from 1."""

    at: datetime
    row: int
    number: int
    sku: str
    available: int
    restock: bool = False


class Order(msgspec.Struct, frozen=True, gc=False):
    """An invoice is complete. `items` are units of stock, `total` includes services (GBP, ≥ 0 for
    what is charged on a sale and for what is paid back on a return)."""

    at: datetime
    row: int
    customer: str
    invoice: str
    returned: bool
    items: int
    total: Decimal
    country: str


Event = Register | Login | SignUp | Stock | Order
