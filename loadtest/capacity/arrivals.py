"""How calls become records and batches: what the router gathers while its window is open. Pure.

A request by itself costs a record, a batch on every channel and a call of an actor; of 250 that
come together each costs next to nothing. So a rate alone says little: how it comes does too.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import exp
from typing import Literal, NamedTuple

Way = Literal["rest", "batch", "kafka"]
"""A call by itself; a call with a batch, spread over the partitions; a record of one partition."""


class Flow(NamedTuple):
    """`per_second` calls of `size` notifications each, every one with `mix[channel]` deliveries
    of that channel (0 to 1) on average. Of one lane: lanes have topics of their own."""

    way: Way
    per_second: float
    size: float
    mix: Mapping[str, float]
    lane: str = "normal"


def counts(
    flows: Sequence[Flow], seconds: float, partitions: int, window: float
) -> dict[str, float]:
    """What happens in so many seconds, by driver (drivers.py)."""
    found: dict[str, float] = defaultdict(float)
    hits: dict[tuple[str, str], float] = defaultdict(float)
    for flow in flows:
        calls, items = flow.per_second * seconds, flow.per_second * flow.size * seconds
        found["records"] += calls * _touched(flow, 1.0, partitions)
        if flow.way == "rest":
            found["rest"] += calls
        elif flow.way == "batch":
            found["batch calls"] += calls
            found["batch items"] += items
        for channel, share in flow.mix.items():
            found[channel] += items * share
            touched = flow.per_second * _touched(flow, share, partitions)
            hits[flow.lane, channel] += touched / partitions
    for (_, channel), rate in hits.items():
        a_second = partitions * (1 - exp(-rate * window)) / window
        found[f"{channel} batches"] += a_second * seconds
    return dict(found)


def _touched(flow: Flow, share: float, partitions: int) -> float:
    """Partitions that get something of a call, of which every item counts with this chance."""
    if flow.way == "batch":
        untouched: float = (1 - min(share, 1.0) / partitions) ** flow.size
        return partitions * (1 - untouched)
    none: float = (1 - min(share, 1.0)) ** flow.size
    return 1 - none
