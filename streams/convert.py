"""An order is a sale: it is owed to the message whose link its person followed last."""

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from tocsin.conversion import conversion
from tocsin.kafka import send_keyed
from tocsin.records import NotificationRequest, encode
from tocsin.store.clicks import Clicks, Sale
from tocsin.topics import ENGAGEMENT

ORDER: Final = "ORDER_CONFIRMATION"
_NAMES: Final = ("order", "order_id", "invoice")
_MOST_CHARACTERS: Final = 128
_MOST: Final = 1e12


class Convert:
    """One call of the store per batch that has orders, none for others. Doing a batch again writes
    the same events again, which count once."""

    def __init__(self, producer: AIOKafkaProducer, clicks: Clicks) -> None:
        self._producer, self._clicks = producer, clicks

    async def __call__(self, requests: Iterable[tuple[NotificationRequest, datetime]]) -> None:
        """Durable when it returns. Raises what store and producer raise."""
        sales = [sale for each in requests if (sale := sale_of(*each))]
        owed = await self._clicks.owed(sales)
        events = [conversion(s, m) for s, m in zip(sales, owed, strict=True) if m]
        await send_keyed(
            self._producer, ENGAGEMENT, [(each.notification_id, encode(each)) for each in events]
        )


def sale_of(request: NotificationRequest, at: datetime) -> Sale | None:
    """The sale of an order's confirmation; None for other requests and for one without a number."""
    if request.type != ORDER:
        return None
    data = request.data
    reference = next((str(v) for n in _NAMES if type(v := data.get(n)) in (str, int)), "")
    if not 0 < len(reference) <= _MOST_CHARACTERS:
        return None
    currency = data.get("currency")
    return Sale(
        user_id=request.user_id,
        at=request.accepted_at or at,
        reference=reference,
        value=_value(data.get("total")),
        currency=currency if isinstance(currency, str) and len(currency) <= 3 else "",
    )


def _value(total: Any) -> float:
    """A number or a number's text; 0 for anything else."""
    try:
        found = float(total)
    except (TypeError, ValueError, OverflowError):
        return 0
    return found if isfinite(found) and 0 <= found <= _MOST else 0
