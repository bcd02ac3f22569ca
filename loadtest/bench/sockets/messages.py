"""What the bench sends: real items, written to real inboxes, as another shard would have done."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from actors.message import Content
from actors.sockets import frames
from actors.sockets.frames import Push
from actors.sockets.item import item
from loadtest.bench.sockets.clients import name
from tocsin.clock import SystemClock
from tocsin.ids import new_id
from tocsin.records import Channel, Delivery, DeliveryBatch, encode
from tocsin.store.inbox import Inbox

BATCH: Final = 500
"""What the router puts into one Kafka record at most."""

_WORDS: Final = Content(
    title="White hanging heart is back in stock",
    body="White hanging heart is available again.",
    link="http://127.0.0.1:8080/shop/85123A",
)


class Lot(NamedTuple):
    """One call's worth: its bytes, and which notifications are in it, as (number, offset)."""

    payload: bytes
    holds: list[tuple[int, int]]


def delivery(number: int) -> Delivery:
    """News for client `number`."""
    return Delivery(
        notification_id=new_id(), user_id=name(number), channel=Channel.INAPP,
        type="BACK_IN_STOCK", category="stock", template_id="BACK_IN_STOCK",
        data={"sku": "85123A", "product": "White hanging heart", "available": 9},
        accepted_at=SystemClock().now(),
    )  # fmt: skip


def batches(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """These in parts of `size`."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


async def pushes(inbox: Inbox, numbers: Sequence[int], size: int = BATCH) -> list[Lot]:
    """An item for each, in the inbox now and still to be published; a person may come again, but
    then in a later lot."""
    lots = []
    for part in batches(numbers, size):
        made = [delivery(n) for n in part]
        items = [(d.user_id, d.notification_id, item(d, _WORDS)) for d in made]
        places = await inbox.append(items)
        ready = [
            Push(user, frames.notification(content, p.offset, p.unread), p.epoch, p.offset)
            for (user, _, content), p in zip(items, places, strict=True)
        ]
        holds = [(n, place.offset) for n, place in zip(part, places, strict=True)]
        lots.append(Lot(frames.pack(ready), holds))
    return lots


def deliveries(numbers: Sequence[int], offsets: dict[int, int], size: int = BATCH) -> list[Lot]:
    """A delivery for each, not written anywhere; `offsets` (the newest of each) goes on."""
    lots = []
    for part in batches(numbers, size):
        holds = []
        for n in part:
            offsets[n] += 1
            holds.append((n, offsets[n]))
        lots.append(Lot(encode(DeliveryBatch([delivery(n) for n in part])), holds))
    return lots
