"""The costs file: what the bench measured, and the prices that were made of it."""

from pathlib import Path
from typing import Final

import msgspec

from tocsin.errors import ConfigError

COMMITTED: Final = Path(__file__).parent / "costs.json"


class Part(msgspec.Struct, frozen=True):
    """One part of the system. `us` is µs of CPU by driver (drivers.py), on top of `idle_cpu`."""

    processes: int
    idle_cpu: float
    """CPU seconds a second while nothing happens."""
    rss_idle: int
    """Bytes, of all its processes."""
    rss_loaded: int
    """The most seen."""
    us: dict[str, float]
    written_per_delivery: float = 0
    """Bytes on disk, logs and merges included."""
    read_per_delivery: float = 0


class Family(msgspec.Struct, frozen=True):
    """Keys of Valkey that begin with the same word: how many there were of them for each of what
    they are `per` (drivers, or `users`, `notifications`, `through the API`), what one takes, how
    long it stays."""

    per: str
    each: float
    bytes: float
    seconds: float
    """Time to live; 0: for ever."""


class Kafka(msgspec.Struct, frozen=True):
    """Bytes of values by what they are about; records have `RECORD_OVERHEAD` on top."""

    request: float
    """A request, by itself or in a batch."""
    channel: float
    """A delivery on its way to an actor."""
    outcome: float
    """All that is said of a delivery on `delivery.outcomes`."""


class Phase(msgspec.Struct, frozen=True):
    """One stretch of the measurement: what was counted, what every part used (CPU seconds)."""

    name: str
    seconds: float
    counts: dict[str, float]
    cpu: dict[str, float]


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured. `load` is the load average before, 1 minute: other work."""

    cpu: str
    cores: int
    memory: int
    python: str
    load: float


class Costs(msgspec.Struct, frozen=True):
    """All of it. Written by `python -m loadtest.bench.costs`."""

    measured_at: str
    machine: Machine
    partitions: int
    window: float
    """Seconds for which the router gathers what comes in, as the measured batches tell."""
    parts: dict[str, Part]
    kafka: dict[str, Kafka]
    """By channel."""
    valkey: dict[str, Family]
    provider: dict[str, float]
    """Bytes of body a delivery's call to the provider has, by channel."""
    clickhouse_inserted: float
    """Bytes of columns per delivery, before compression."""
    phases: list[Phase]


def load(path: Path = COMMITTED) -> Costs:
    """The costs of a file. Raises `ConfigError` saying what is wrong with it and what to do."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Costs)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"--costs {path}: {error}; make one by: python -m loadtest.bench.costs --out FILE"
        ) from None


def encoded(costs: Costs) -> bytes:
    """As it is committed: for people too."""
    return msgspec.json.format(msgspec.json.encode(costs), indent=1) + b"\n"
