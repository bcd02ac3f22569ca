"""The costs file out of what was measured. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from loadtest.bench.costs.measure import Measured
from loadtest.bench.usage import Usage
from loadtest.capacity import fit
from loadtest.capacity.costs import Costs, Family, Kafka, Machine, Part
from loadtest.capacity.drivers import CHANNELS


class Bytes(NamedTuple):
    """What was weighed of the whole run; `inserted` per delivery."""

    partitions: int
    valkey: Mapping[str, Family]
    provider: Mapping[str, float]
    inserted: float


class Sheet:
    """`measured` begins with the idle phase."""

    def __init__(self, measured: Sequence[Measured], sizes: Bytes, machine: Machine) -> None:
        self._idle, *self._loaded = measured
        self._sizes, self._machine = sizes, machine

    def costs(self, now: datetime) -> Costs:
        """All of it."""
        sizes = self._sizes
        return Costs(
            measured_at=now.date().isoformat(),
            machine=self._machine,
            partitions=sizes.partitions,
            window=round(self._window(), 5),
            parts={part: self._part(part) for part in sorted(self._idle.after)},
            kafka={channel: self._kafka(channel) for channel in CHANNELS},
            valkey=dict(sizes.valkey),
            provider=dict(sizes.provider),
            clickhouse_inserted=round(sizes.inserted, 1),
            phases=[each.record for each in (self._idle, *self._loaded)],
        )

    def _window(self) -> float:
        timed = [
            (each.phase.flows, _sent_for(each), each.record.counts)
            for each in self._loaded
            if each.phase.flows
        ]
        return fit.window(timed, self._sizes.partitions)

    def _part(self, part: str) -> Part:
        record, there = self._idle.record, self._idle.after[part]
        idle = record.cpu.get(part, 0) / record.seconds
        deliveries = sum(each.deliveries for each in self._loaded)
        return Part(
            processes=there.processes,
            idle_cpu=round(idle, 5),
            rss_idle=there.rss,
            rss_loaded=max(each.after.get(part, Usage()).rss for each in self._loaded),
            us=fit.prices(part, [each.record for each in self._loaded], idle),
            written_per_delivery=round(
                sum(each.written.get(part, 0) for each in self._loaded) / deliveries, 1
            ),
            read_per_delivery=round(
                sum(each.read.get(part, 0) for each in self._loaded) / deliveries, 1
            ),
        )

    def _kafka(self, channel: str) -> Kafka:
        alone = [each for each in self._loaded if set(each.phase.counts) == {channel}]
        deliveries = sum(each.deliveries for each in alone) or 1.0

        def share(kind: str) -> float:
            return round(sum(each.passed.bytes[kind] for each in alone) / deliveries, 1)

        return Kafka(share("requests"), share(channel), share("outcomes"))


def _sent_for(each: Measured) -> float:
    """Seconds for which a paced phase sent."""
    (flow,) = each.phase.flows
    total = sum(each.phase.counts[channel] for channel in flow.mix)
    return total / (flow.per_second * flow.size)
