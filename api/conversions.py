"""Taking sales: to which message each is owed, and the event that says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.figures import Figures
from api.publish import Publish
from api.status import deliveries_of
from tocsin.conversion import conversion
from tocsin.errors import Invalid, TocsinError
from tocsin.records import Engagement, encode
from tocsin.records.fields import Id, Instant, sane
from tocsin.store.clicks import Clicks, Message, Sale
from tocsin.topics import ENGAGEMENT

_AHEAD: Final = timedelta(minutes=10)
"""What clocks may differ by."""

Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]


class ConversionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody bought something. With `notification_id` it is owed to that notification; with
    `user_id` alone to the message whose link the person followed last, within the seven days before
    it. `reference` (an order's number) makes it count once, whoever tells it how often."""

    notification_id: Id | None = None
    user_id: Id | None = None
    reference: Id | None = None
    value: Annotated[float, Meta(ge=0, le=1e12)] = 0
    currency: Currency | None = None
    at: Instant | None = None

    def __post_init__(self) -> None:
        sane("at", self.at)
        if self.notification_id is None and self.user_id is None:
            raise ValueError("`notification_id` or `user_id` is needed")


class Converted(msgspec.Struct, frozen=True):
    """To which notification it counts, as which event. Null: the person had followed no link."""

    notification_id: str | None = None
    event_id: str | None = None


class Conversions:
    """Durable in Kafka when they return. One call of the store a batch, and one of ClickHouse if
    somebody names a notification without its person."""

    def __init__(self, clicks: Clicks, figures: Figures, publish: Publish) -> None:
        self._clicks, self._figures, self._publish = clicks, figures, publish

    async def take(
        self, bodies: Sequence[ConversionBody], now: datetime
    ) -> list[Converted | TocsinError]:
        """For each what it counts to, or `Invalid`. Raises `EngineUnavailable`, and what the store
        and Kafka raise."""
        whose = await self._whose(bodies)
        found = [_sale(body, whose, now) for body in bodies]
        sales = [sale for sale in found if isinstance(sale, Sale)]
        owed = await self._clicks.owed(sales)
        events = [conversion(s, m) if m else None for s, m in zip(sales, owed, strict=True)]
        lines = [(each.notification_id, encode(each)) for each in events if each]
        await self._publish.many(ENGAGEMENT, lines)
        answers = iter([_converted(each) for each in events])
        return [next(answers) if isinstance(each, Sale) else each for each in found]

    async def _whose(self, bodies: Sequence[ConversionBody]) -> dict[str, tuple[str, str]]:
        """notification id → (user, type) of those that are named without their person."""
        ids = {b.notification_id for b in bodies if b.notification_id and not b.user_id}
        deliveries = [each for name in sorted(ids) for each in deliveries_of(name)]
        rows = await self._figures.whose(deliveries) if deliveries else []
        return {row["notification_id"]: (row["user_id"], row["type"]) for row in rows}


def _converted(event: Engagement | None) -> Converted:
    return Converted(event.notification_id, event.event_id) if event else Converted()


def _sale(
    body: ConversionBody, whose: dict[str, tuple[str, str]], now: datetime
) -> Sale | TocsinError:
    if body.at and body.at > now + _AHEAD:
        return Invalid("at", "lies ahead")
    user_id, kind = body.user_id, ""
    if user_id is None:
        name = body.notification_id or ""
        if name not in whose:
            return Invalid("notification_id", "nothing is known of it (yet); name `user_id`, too")
        user_id, kind = whose[name]
    message = Message(body.notification_id, "", kind) if body.notification_id else None
    return Sale(
        user_id, body.at or now, body.reference or "", body.value, body.currency or "", message
    )
