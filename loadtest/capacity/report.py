"""The plan, the prices and comparisons as tables: for a terminal, and for the README."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.table import Table

from loadtest.capacity import known
from loadtest.capacity.compare import Comparison, off, together
from loadtest.capacity.costs import Costs
from loadtest.capacity.load import Load
from loadtest.capacity.plan import Plan

Row = tuple[str, ...]
_POD_HEAD: Row = ("workload", "pods (least · peak · most)", "CPU", "memory", "because")


def amount(value: float) -> str:
    """Bytes as people say them (powers of ten, as disks are sold)."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def asked(load: Load) -> str:
    """The load in a line."""
    mix = " : ".join(f"{weight:g} {name}" for name, weight in load.mix.items())
    return (
        f"{load.per_day / 1e6:g} M deliveries a day ({mix}), peak {load.peak:g} × the mean = "
        f"{load.rate:,.0f}/s, {load.otp_per_day:,.0f} log-ins a day, {load.sockets:,} sockets, "
        f"{load.users:,} users, {load.headroom:.0%} of every processor left free"
    )


def pod_rows(plan: Plan) -> list[Row]:
    """A row a workload."""
    return [
        (
            each.workload,
            str(each.peak) if each.always else f"{each.least} · {each.peak} · {each.most}",
            f"{each.cpu:g}",
            f"{each.memory >> 20} Mi",
            each.because,
        )
        for each in plan.pods
    ]


def engine_rows(plan: Plan) -> Iterator[Row]:
    """Name and figures of everything that is no workload of ours."""
    log, store, books = plan.kafka, plan.valkey, plan.clickhouse
    yield (
        "Kafka",
        f"{log.partitions} partitions a topic (one carries {log.a_partition_carries:,.0f}/s), "
        f"{log.brokers} brokers, {log.replication} replicas; each: {log.cpu:g} CPU, "
        f"{amount(log.memory)} memory, {amount(log.disk)} disk ({log.per_delivery:,.0f} B a "
        f"delivery, {known.LOG_DAYS} days), {amount(log.received)}/s in, {amount(log.sent)}/s out",
    )
    most = ", ".join(f"{name} {amount(n)}" for name, n in list(store.holds.items())[:4])
    yield (
        "Valkey",
        f"{amount(store.memory)} memory ({most}), {amount(store.disk)} disk, {store.cpu:g} CPU",
    )
    yield (
        "ClickHouse",
        f"{books.replicas} replicas; each: {amount(books.disk)} disk for {amount(books.tables)} of "
        f"{plan.load.days} days ({known.CLICKHOUSE_BYTES} B a delivery) and "
        f"{amount(books.rollups)} of 13 months of rollups, {books.cpu:g} CPU, "
        f"{amount(books.memory)} memory",
    )
    calls = " · ".join(f"{name} {n:,.0f}/s" for name, n in plan.providers.calls.items())
    total = sum(plan.providers.bytes.values())
    yield (
        "To the providers",
        f"{calls}; {amount(total)}/s of bodies ({8 * total / 1e6:.0f} Mbit/s)",
    )
    yield "Settings", " ".join(f"{name}={value}" for name, value in plan.settings.items())
    yield "Against the seed's estimate", seed(plan)


def seed(plan: Plan) -> str:
    """Why ours differs."""
    load, books = plan.load, plan.clickhouse
    theirs = known.SEED_BYTES * load.per_day / 16e6 * load.days / 30
    ours = books.tables + books.rollups
    return (
        f"{amount(theirs)} ({known.SEED_EACH[0]:,} B a notification, {known.SEED_EACH[1]} B more) "
        f"against {amount(ours)} on a replica, {ours / theirs:.0%}: columns sorted by time and "
        f"compressed ({known.DELIVERIES_BYTES} B a delivery, {known.CLICKHOUSE_BYTES} B with its "
        "request, openings and decisions), no message text kept, and rollups for what is older; "
        f"the log adds {amount(plan.kafka.per_delivery * load.per_day * known.LOG_DAYS)} of "
        f"{known.LOG_DAYS} days, which the estimate did not have"
    )


def tables(plan: Plan, costs: Costs) -> list[Table]:
    """For a terminal."""
    pods = Table(*_POD_HEAD, title=asked(plan.load))
    for row in pod_rows(plan):
        pods.add_row(*row)
    engines = Table("engine", "what it needs", title="Engines, disk, network")
    for row in engine_rows(plan):
        engines.add_row(*row)
    for warning in plan.warnings:
        engines.add_row("WARNING", warning)
    engines.add_row("costs", where(costs))
    return [pods, engines]


def markdown(plan: Plan, costs: Costs) -> str:
    """For the README."""
    rows = ["| " + " | ".join(_POD_HEAD) + " |", "|---" * len(_POD_HEAD) + "|"]
    rows += ["| " + " | ".join((f"`{row[0]}`", *row[1:])) + " |" for row in pod_rows(plan)]
    rows += ["", "| | |", "|---|---|"]
    rows += [f"| {name} | {what} |" for name, what in engine_rows(plan)]
    return "\n".join([f"{asked(plan.load)}. {where(costs)}.", "", *rows]) + "\n"


def where(costs: Costs) -> str:
    """Where the prices come from."""
    machine = costs.machine
    return (
        f"Measured on {costs.measured_at}, {machine.cores} × {machine.cpu}, "
        f"{machine.memory / (1 << 30):.0f} GiB, Python {machine.python}, load before {machine.load}"
    )


def prices(costs: Costs) -> Table:
    """Every part's: idle, memory, and µs of CPU by what happens."""
    head = ("part", "idle", "RSS idle · loaded", "µs of CPU", "disk, B a delivery")
    table = Table(*head, title=where(costs))
    for name, part in costs.parts.items():
        table.add_row(
            name,
            f"{part.idle_cpu:.1%}",
            f"{part.rss_idle / 1e6:.0f} · {part.rss_loaded / 1e6:.0f} MB",
            " · ".join(f"{driver} {us:,.0f}" for driver, us in part.us.items() if us),
            f"{part.written_per_delivery:,.0f}",
        )
    return table


def comparison(found: Sequence[Comparison]) -> Table:
    """Runs, then parts, then the whole: predicted and measured CPU seconds, and the error."""
    table = Table("", "predicted s", "measured s", "error", title="CPU, predicted and measured")
    whole = together(found) if len(found) > 1 else found[0]
    if len(found) > 1:
        for each in found:
            table.add_row(*_sums(each))
        table.add_section()
    for part in sorted(whole.measured, key=lambda name: -whole.measured[name]):
        table.add_row(*_row(part, whole.predicted[part], whole.measured[part]))
    table.add_section()
    table.add_row(*_sums(whole))
    for part, used in whole.unpriced.items():
        table.add_row(part, "no price", f"{used:.2f}", "")
    return table


def _sums(each: Comparison) -> Row:
    name = f"{each.name} ({each.seconds:.0f} s)"
    return _row(name, sum(each.predicted.values()), sum(each.measured.values()))


def _row(name: str, predicted: float, measured: float) -> Row:
    return name, f"{predicted:.2f}", f"{measured:.2f}", f"{off(predicted, measured):+.0%}"


def as_json(found: Iterable[Comparison]) -> list[Mapping[str, object]]:
    """For programs."""
    return [each._asdict() | {"error": round(each.error, 4)} for each in found]
