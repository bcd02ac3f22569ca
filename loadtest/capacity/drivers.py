"""What costs are counted by: a driver is something that happens, and has a price in every part.

The parts of the system each pay for few of them (a push sender for pushes and their batches), so
that a handful of measured phases tells the prices, and no part is charged for another's noise.
"""

from collections.abc import Mapping
from typing import Final

CHANNELS: Final = ("push", "sms", "email", "inapp")

RECORDS: Final = "records"
"""Kafka records of requests the router reads."""

BATCHES: Final = tuple(f"{channel} batches" for channel in CHANNELS)
"""Records on a channel's topics: deliveries of one partition that go to an actor together."""

BUSY: Final = "busy seconds"
"""Seconds in which anything happened: the writer flushes, ClickHouse merges, once a second."""

FURTHER: Final = "further devices"
"""Pushes to a second device of the same person, and so on: a delivery is one, its calls are not."""

CALLS: Final = (
    "rest", "batch calls", "batch items", "otp", "clicks", "sign-ups", "stock changes",
    "preferences",
)  # fmt: skip
"""HTTP calls by kind; `batch items` are the notifications in `batch calls`."""

ALL: Final = (RECORDS, *CHANNELS, *BATCHES, FURTHER, BUSY, *CALLS)

_ANY: Final = ("deliveries", "batches")
_OTHERS: Final = ("otp", "clicks", "sign-ups", "stock changes", "preferences")

PAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "api": CALLS,
    "streams": (RECORDS, *CHANNELS, "batches", "stock changes"),
    "push sender": ("push", "push batches", FURTHER),
    "sms sender": ("sms", "sms batches"),
    "email sender": ("email", "email batches"),
    "shard": ("inapp", "inapp batches"),
    "otp worker": ("otp",),
    "otp lane": ("otp",),
    "broker": (RECORDS, *_ANY, *_OTHERS),
    "valkey": (RECORDS, *CHANNELS, "batches", "rest", "batch items", *_OTHERS),
    "writer": (BUSY, "deliveries", *_OTHERS),
    "clickhouse": (BUSY, "deliveries", *_OTHERS),
    "ray": ("batches",),
    "sandbox": ("push", FURTHER, "sms", "email", "otp"),
    "actors' supervisor": (BUSY,),
}
"""Part → what it pays for; `deliveries` and `batches` are the sums over the channels. A part that
is not here costs only what it costs idle."""


def of(name: str, counts: Mapping[str, float]) -> float:
    """How often, sums included."""
    if name == "deliveries":
        return sum(counts.get(channel, 0) for channel in CHANNELS)
    if name == "batches":
        return sum(counts.get(batches, 0) for batches in BATCHES)
    return counts.get(name, 0)
