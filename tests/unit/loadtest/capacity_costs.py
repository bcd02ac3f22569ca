"""Costs made up for the model's tests: round figures, so that results can be worked out by hand."""

from loadtest.capacity.costs import Costs, Family, Kafka, Machine, Part, Phase

MB = 1_000_000


def part(us: dict[str, float], idle: float = 0.01, processes: int = 1) -> Part:
    """A part that pays `us`."""
    return Part(processes, idle, 100 * MB, 150 * MB, us)


CHANNELS = ("push", "sms", "email", "inapp")

COSTS = Costs(
    measured_at="2026-11-24",
    machine=Machine("a processor", 2, 8_000 * MB, "3.11.7", 0.5),
    partitions=4,
    window=0.02,
    parts={
        "api": part({"rest": 400, "batch calls": 500, "batch items": 10, "otp": 600}),
        "streams": part({"records": 100, **dict.fromkeys(CHANNELS, 60.0), "batches": 400}),
        "push sender": part({"push": 80, "push batches": 200}),
        "sms sender": part({"sms": 90, "sms batches": 200}),
        "email sender": part({"email": 200, "email batches": 200}),
        "shard": part({"inapp": 40, "inapp batches": 200}),
        "otp worker": part({"otp": 800}),
        "otp lane": part({"otp": 500}),
        "broker": part({"records": 30, "deliveries": 5, "batches": 60}),
        "valkey": part({**dict.fromkeys(CHANNELS, 20.0), "batches": 50}),
        "writer": part({"busy seconds": 20_000, "deliveries": 15}),
        "clickhouse": part({"busy seconds": 60_000, "deliveries": 25}),
        "sandbox": part({"push": 90, "sms": 130, "email": 100}),
    },
    kafka={channel: Kafka(300, 400, 500) for channel in CHANNELS},
    valkey={
        "user": Family("users", 1, 600, 0),
        "seen": Family("notifications", 1, 120, 86_400),
        "sent": Family("deliveries", 1, 130, 21_600),
        "inbox": Family("inapp", 1, 400, 31 * 86_400),
    },
    provider={"push": 350, "sms": 400, "email": 2_500},
    clickhouse_inserted=700,
    phases=[Phase("idle", 10, {}, {})],
)
