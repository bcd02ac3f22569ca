"""The phases: what is sent in each, and how it comes. Each measures one thing against the others.

The same delivery by itself and in large batches tells what a batch costs and what a delivery; the
mixes tell how calls gather; the calls' phases what the API adds.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from loadtest.bench.costs.feed import Feed
from loadtest.bench.traffic import MIX
from loadtest.capacity.arrivals import Flow
from loadtest.capacity.drivers import FURTHER
from tocsin.records import Channel

Send = Callable[[Feed], Awaitable[None]]


class Phase(NamedTuple):
    """One phase. `counts` is what it sends of its own (drivers.py); records and batches of
    deliveries are read from Kafka, or, in a forecast, come of the `flows`."""

    name: str
    send: Send
    counts: dict[str, float]
    flows: tuple[Flow, ...] = ()


def _mix(channels: tuple[Channel, ...]) -> dict[str, float]:
    return {str(c): channels.count(c) / len(channels) for c in channels}


def _of(channels: tuple[Channel, ...], count: int) -> dict[str, float]:
    return {channel: count * share for channel, share in _mix(channels).items()}


def records(
    name: str, channels: tuple[Channel, ...], count: int, size: int, per_second: float
) -> Phase:
    """`count` requests in Kafka records of `size`, `per_second` (0: at once)."""
    flow = Flow("kafka", per_second / size, size, _mix(channels))
    return Phase(
        name,
        lambda feed: feed.records(channels, count, size, per_second),
        _of(channels, count),
        (flow,) if per_second else (),
    )


def rest(name: str, channels: tuple[Channel, ...], count: int, per_second: float) -> Phase:
    """`count` calls with one notification each."""
    return Phase(
        name,
        lambda feed: feed.rest(channels, count, per_second),
        _of(channels, count) | {"rest": count},
        (Flow("rest", per_second, 1, _mix(channels)),),
    )


def batches(
    name: str, channels: tuple[Channel, ...], count: int, size: int, per_second: float
) -> Phase:
    """`count` notifications in calls of `size`."""
    own: dict[str, float] = {"batch calls": count // size, "batch items": count}
    return Phase(
        name,
        lambda feed: feed.batches(channels, count, size, per_second),
        _of(channels, count) | own,
        (Flow("batch", per_second / size, size, _mix(channels)),),
    )


WARM_UP: Final = records("warm-up", (*MIX, Channel.INAPP), 5_100, 50, 0)

MEASURED: Final = (
    rest("REST calls", MIX, 480, 60),
    batches("batch calls of 250", MIX, 4_000, 250, 1_000),
    batches("batch calls of 10", MIX, 800, 10, 150),
    Phase("log-ins", lambda feed: feed.otp(200, 25), {"otp": 200}),
    Phase("clicks", lambda feed: feed.clicks(400, 80), {"clicks": 400}),
    Phase("sign-ups", lambda feed: feed.sign_ups(300, 60), {"sign-ups": 300}),
    Phase("stock changes", lambda feed: feed.stock(300, 60), {"stock changes": 300}),
    Phase("preferences", lambda feed: feed.preferences(300, 60), {"preferences": 300}),
    *(
        phase
        for channel in Channel
        for phase in (
            records(f"{channel}, one by one", (channel,), 240, 1, 40),
            records(f"{channel}, in 250s", (channel,), 10_000, 250, 0),
        )
    ),
    Phase(
        "push to two devices, in 250s",
        lambda feed: feed.records((Channel.PUSH,), 5_000, 250, 0, to_pairs=True),
        {"push": 5_000, FURTHER: 5_000},
    ),
    records("mix, one by one", MIX, 2_400, 1, 300),
    records("mix, in 25s", MIX, 6_400, 25, 800),
)

_SHOP: Final = (*(Channel.EMAIL,) * 4, *(Channel.PUSH,) * 3, *(Channel.SMS,) * 2, Channel.INAPP)

CHECKED: Final = (
    rest("REST calls, 150/s, email and SMS above all", _SHOP, 1_200, 150),
    batches("batch calls of 100, 400/s", _SHOP, 4_000, 100, 400),
    records("Kafka records of 10, 600/s", MIX, 6_000, 10, 600),
    records("Kafka records of 100, 1,200/s", _SHOP, 9_600, 100, 1_200),
    Phase(
        "log-ins, 10/s",
        lambda feed: feed.otp(80, 10),
        {"otp": 80},
    ),
)
"""Other rates and another mix than what the prices were made from."""
