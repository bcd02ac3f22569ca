"""Predicted against measured. Pure but for the phases it is given."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from loadtest.capacity import predict
from loadtest.capacity.arrivals import Flow, counts
from loadtest.capacity.costs import Costs, Phase
from loadtest.capacity.drivers import BUSY


class Seen(Protocol):
    """What a measured phase has."""

    @property
    def record(self) -> Phase: ...
    @property
    def sent(self) -> tuple[tuple[Flow, ...], dict[str, float]]: ...


class Comparison(NamedTuple):
    """CPU seconds by part; `unpriced` is what was measured and no price is known of."""

    name: str
    seconds: float
    predicted: dict[str, float]
    measured: dict[str, float]
    unpriced: dict[str, float]

    @property
    def error(self) -> float:
        """Of the whole: 0.1 is 10 % too much predicted, -0.1 too little."""
        return off(sum(self.predicted.values()), sum(self.measured.values()))


def off(predicted: float, measured: float) -> float:
    """The error as a part of what was measured; 0 where there is nothing."""
    return predicted / measured - 1 if measured else 0.0


def compared(
    name: str, seconds: float, predicted: Mapping[str, float], measured: Mapping[str, float]
) -> Comparison:
    """Of the parts that both have. Where actors were measured together they are predicted so;
    one that has no name yet is `actors` anyhow."""
    told = dict(predicted)
    if not any(part in measured for part in ACTORS):
        for part in ACTORS:
            told["actors"] = told.get("actors", 0) + told.pop(part, 0)
    both = [part for part in measured if part in told]
    rest = {part: used for part, used in measured.items() if part not in told}
    return Comparison(
        name, seconds, {p: told[p] for p in both}, {p: measured[p] for p in both}, rest
    )


ACTORS = ("push sender", "sms sender", "email sender", "shard", "otp lane")


def checked(costs: Costs, measured: Sequence[Seen]) -> list[Comparison]:
    """Each phase, predicted from what was sent alone: batches come of the arrivals."""
    return [_phase(costs, each) for each in measured]


def _phase(costs: Costs, each: Seen) -> Comparison:
    flows, own = each.sent
    record = each.record
    happened = dict(own)
    if happened:
        happened[BUSY] = record.seconds
    for flow in flows:
        deliveries = sum(own.get(channel, 0) for channel in flow.mix)
        took = deliveries / (flow.per_second * flow.size * sum(flow.mix.values()))
        happened |= counts([flow], took, costs.partitions, costs.window)
    predicted = predict.cpu(costs, happened, record.seconds)
    return compared(record.name, record.seconds, predicted, record.cpu)


def together(found: Iterable[Comparison]) -> Comparison:
    """All of them as one."""
    predicted: dict[str, float] = {}
    measured: dict[str, float] = {}
    unpriced: dict[str, float] = {}
    seconds = 0.0
    for each in found:
        seconds += each.seconds
        for into, part in (
            (predicted, each.predicted), (measured, each.measured), (unpriced, each.unpriced)
        ):  # fmt: skip
            for name, used in part.items():
                into[name] = into.get(name, 0) + used
    return Comparison("all together", seconds, predicted, measured, unpriced)
