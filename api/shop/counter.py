"""Behind the counter: the shelves, who waits, and who is told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from api.bodies import BroadcastBody
from api.shop.products import SKUS, product
from api.shop.shoppers import masked
from api.status import deliveries_of, merge
from tocsin.ids import derived_id
from tocsin.records import CHANNELS, Audience, InventoryChange, Priority, Subscription
from tocsin.records.fields import Id


class Shelf(msgspec.Struct, frozen=True):
    """One product: how many there are and how many people wait."""

    sku: str
    available: int | None
    waiting: int


class StockBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the stock; asked for again under the same `event_id` it changes nothing."""

    sku: Id
    event_id: Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    available: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    delta: Annotated[int, Meta(ge=-100_000, le=100_000)] | None = None

    def __post_init__(self) -> None:
        if (self.available is None) == (self.delta is None):
            raise ValueError("exactly one of `available` and `delta` is needed")


class Waiting(msgspec.Struct, frozen=True):
    """Somebody who waits, without saying who."""

    subscription_id: str
    who: str
    channels: tuple[str, ...]
    place: int
    since: datetime


class ToldBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sign-ups to look after."""

    subscription_ids: Annotated[list[Id], Meta(min_length=1, max_length=50)]


class Told(msgspec.Struct, frozen=True):
    """How far one sign-up has come. `channels`: waiting, queued, sending, retrying, or an end."""

    subscription_id: str
    who: str
    sku: str
    state: str
    channels: dict[str, str]


class BroadcastForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word to the admins."""

    text: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\S")]
    type: Literal["NEW_COMPLAINT", "STAFF_NOTICE"] = "NEW_COMPLAINT"


def change(body: StockBody, now: datetime) -> InventoryChange:
    """The change as a record. Raises `Invalid` for what is not sold here."""
    return InventoryChange(
        event_id=f"shop:counter:{body.event_id}",
        sku=product(body.sku).sku,
        occurred_at=now,
        available=body.available,
        delta=body.delta,
    )


def broadcast(form: BroadcastForm, now: datetime) -> BroadcastBody:
    """To all who belong to the admins, by the type's own channels."""
    text = " ".join(form.text.split())
    data: dict[str, Any] = {"title": "From behind the counter", "body": text}
    if form.type == "NEW_COMPLAINT":
        data = {"complaint": f"{now:%H%M%S}", "summary": text}
    audience = Audience(admins=True)
    return BroadcastBody(audience=audience, type=form.type, data=data, priority=Priority.HIGH)


def shelves(stock: Mapping[str, int | None], waiting: Sequence[int]) -> list[Shelf]:
    """In the shop's order."""
    return [Shelf(sku, stock[sku], n) for sku, n in zip(SKUS, waiting, strict=True)]


def queue(subscriptions: Sequence[Subscription]) -> list[Waiting]:
    """From the first of a queue on."""
    return [
        Waiting(s.subscription_id, masked(s.user_id), tuple(s.channels), place, s.created_at)
        for place, s in enumerate(subscriptions, 1)
    ]


def notification_of(subscription_id: str) -> str:
    """The id of the notification that ends a sign-up, as streams derive it."""
    return derived_id("back-in-stock", subscription_id)


def deliveries(subscriptions: Iterable[Subscription]) -> list[str]:
    """Every delivery there can be, channel by channel."""
    return [
        delivery
        for each in subscriptions
        for delivery in deliveries_of(notification_of(each.subscription_id))
    ]


def told(
    subscriptions: Sequence[Subscription],
    claims: Sequence[bytes | None],
    ended: Iterable[Mapping[str, Any]],
) -> list[Told]:
    """`claims` are of `deliveries`; `ended` are rows of sql/told.sql."""
    states = {row["delivery_id"]: str(row["state"]) for row in ended}
    step = len(CHANNELS)
    return [
        _told(each, claims[place * step : (place + 1) * step], states)
        for place, each in enumerate(subscriptions)
    ]


def _told(
    subscription: Subscription, claims: Sequence[bytes | None], states: Mapping[str, str]
) -> Told:
    name = notification_of(subscription.subscription_id)
    known = merge(name, (), claims)
    channels: dict[str, str] = {}
    for channel, delivery in zip(CHANNELS, deliveries_of(name), strict=True):
        if state := states.get(delivery):
            channels[channel] = state
        elif known and channel in known.channels:
            channels[channel] = known.channels[channel].state
        elif channel in subscription.channels:
            channels[channel] = _before(subscription)
    return Told(
        subscription.subscription_id,
        masked(subscription.user_id),
        subscription.sku,
        subscription.state,
        channels,
    )


def _before(subscription: Subscription) -> str:
    """Of a channel that nobody has worked on yet."""
    return "queued" if subscription.state == "notified" else subscription.state
