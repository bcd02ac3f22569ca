"""The engines' share of a plan: disk, memory and network of Kafka, Valkey and ClickHouse. Pure."""

from collections.abc import Mapping

from loadtest.capacity import known
from loadtest.capacity.costs import Costs
from loadtest.capacity.drivers import CHANNELS, of
from loadtest.capacity.load import BATCHED, DAY_SECONDS, SINGLE, Load
from loadtest.capacity.plan import ClickHouse, Kafka, Valkey
from loadtest.capacity.predict import active
from loadtest.capacity.rounding import cores, disk, memory

BROKERS = REPLICATION = 3
REPLICAS = 2
_OTHER_BYTES = 500
"""A log-in, a click, a sign-up, a change of stock: a record, and its outcome."""

_JVM = 3
"""Times the CPU of the embedded broker (Tansu) that is asked for each of Kafka's: not measured."""

_FRAGMENTS = 1.25
_COPY = 1.6
"""Valkey: what an allocator wastes, and what a rewrite of the log copies on top."""

_MERGES = 1.5


def kafka(
    load: Load, costs: Costs, peak: Mapping[str, float], partitions: int, a_partition: int
) -> Kafka:
    """Every broker has a replica of everything, as long as there are as many as replicas."""
    rate = load.rate
    requests, channels, outcomes = _log_bytes(load, costs, peak)
    others = _OTHER_BYTES * sum(load.daily().values())
    per_delivery = requests + channels + outcomes
    daily = per_delivery * load.per_day + others
    copies = REPLICATION / BROKERS
    # requests and outcomes have two readers each: streams or the live page, and the writer
    read = (2 * requests + channels + 2 * outcomes) * rate
    written = per_delivery * rate + others / DAY_SECONDS * load.peak
    used = active(costs.parts["broker"], peak) * copies * _JVM
    return Kafka(
        brokers=BROKERS, replication=REPLICATION, partitions=partitions,
        a_partition_carries=a_partition, per_delivery=round(per_delivery, 1),
        disk=disk(daily * known.LOG_DAYS * copies / (1 - load.headroom)),
        received=round(written * copies),
        sent=round((read + written * (REPLICATION - 1)) / BROKERS),
        cpu=cores(max(1.0, used)),
        # a heap of 2 GiB, and ten minutes of the peak in the page cache
        memory=memory(2 * (1 << 30) + max(1 << 30, written * copies * 600)),
    )  # fmt: skip


def _log_bytes(load: Load, costs: Costs, peak: Mapping[str, float]) -> tuple[float, float, float]:
    """A delivery's bytes of requests, on its channel, of outcomes: values, and their records'
    overhead by how many come together."""
    shares, rate = load.shares, load.rate
    sizes = [(shares[channel], costs.kafka[channel]) for channel in CHANNELS]
    records = known.RECORD_OVERHEAD * peak["records"] / rate
    batches = known.RECORD_OVERHEAD * of("batches", peak) / rate
    return (
        sum(share * size.request for share, size in sizes) + records,
        sum(share * size.channel for share, size in sizes) + batches,
        sum(share * size.outcome for share, size in sizes) + batches,
    )


def valkey(load: Load, costs: Costs, cpu: float) -> Valkey:
    """Keys that end are held for as long as they live; inboxes have an end of their own."""
    daily = {
        "notifications": load.per_day, "deliveries": load.per_day,
        "inapp": load.per_day * load.shares["inapp"],
        "rest": load.per_day * SINGLE, "through the API": load.per_day * (SINGLE + BATCHED),
        **load.daily(),
    }  # fmt: skip
    holds = {}
    for name, family in costs.valkey.items():
        if family.per == "users":
            there = float(load.users)
        else:
            there = daily.get(family.per, 0) * (family.seconds or DAY_SECONDS * load.days)
            there /= DAY_SECONDS
        if family.per == "inapp":
            there = min(there, load.users * known.INBOX_ITEMS)
        holds[name] = round(there * family.each * family.bytes)
    total = sum(holds.values()) * _FRAGMENTS + costs.parts["valkey"].rss_idle
    return Valkey(
        holds=dict(sorted(holds.items(), key=lambda item: -item[1])),
        memory=memory(total), memory_limit=memory(total * _COPY), disk=disk(3 * total),
        cpu=cores(max(0.5, cpu / (1 - load.headroom))),
    )  # fmt: skip


def clickhouse(load: Load, costs: Costs, cpu: float) -> ClickHouse:
    """Each of two replicas has everything."""
    days = load.per_day * load.days
    tables = days * (known.CLICKHOUSE_BYTES - known.ROLLUP_BYTES)
    rollups = load.per_day * known.ROLLUP_DAYS * known.ROLLUP_BYTES
    seen = costs.parts["clickhouse"].rss_loaded
    return ClickHouse(
        replicas=REPLICAS, deliveries=round(days * known.DELIVERIES_BYTES),
        tables=round(tables), rollups=round(rollups),
        disk=disk((tables + rollups) * _MERGES / (1 - load.headroom)),
        received=round(costs.clickhouse_inserted * load.rate),
        # a core for inserts and merges as measured, and one for those who ask
        cpu=cores(1 + max(1.0, cpu / (1 - load.headroom))),
        memory=memory(max(4 * (1 << 30), 4 * seen)),
    )  # fmt: skip
