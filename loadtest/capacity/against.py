"""A run of the load, predicted from its clients' own history, against the CPU its system used."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from loadtest.capacity import predict
from loadtest.capacity.arrivals import Flow, Way, counts
from loadtest.capacity.compare import Comparison, compared
from loadtest.capacity.costs import Costs
from loadtest.capacity.drivers import BUSY, CHANNELS, FURTHER
from loadtest.load.run_dir import Asked, Person, RunDir, Sample
from tocsin.errors import ConfigError

T = TypeVar("T")

_BUCKET: Final = 5.0
"""Seconds in which calls are taken to come evenly."""

_DRIVERS: Final[Mapping[str, str]] = {
    "otp": "otp", "click": "clicks", "sign_up": "sign-ups", "restock": "stock changes",
    "opt_out": "preferences", "quiet_hours": "preferences",
}  # fmt: skip
"""Kind of call → driver. Connecting and asking for figures have no price yet."""

_SENT: Final = ("delivered", "failed")
_LANES: Final = {"critical": "high", "high": "high", "low": "low"}


class Ended(msgspec.Struct, frozen=True):
    """What is needed of a line of `ended.jsonl`: the last word of the id is the channel."""

    delivery_id: str
    state: str

    @property
    def channel(self) -> str:
        """Of those that went out; of others nothing, they cost next to nothing."""
        return self.delivery_id.rpartition(":")[2] if self.state in _SENT else ""


class _Group(NamedTuple):
    """Calls that come alike: in one bucket, of one stream, of one lane."""

    bucket: int
    way: Way
    lane: str


def against(path: Path, costs: Costs) -> Comparison:
    """Between the run's first and its last sample. Raises `ConfigError` for a directory that is
    no run, or one in which no CPU was sampled."""
    files = RunDir(path)
    samples = [each for each in _lines(files.samples, Sample) if each.cpu]
    if len(samples) < 2:
        raise ConfigError(
            f"--against {path}: there are no two samples with CPU in {files.samples.name}; give "
            "the directory of a run of a local system: python -m loadtest.load"
        )
    first, last = samples[0], samples[-1]
    seconds = last.at - first.at
    measured = {part: used - first.cpu.get(part, 0) for part, used in last.cpu.items()}
    asked = _asked(path, first.at, last.at)
    ended = _ended(files, samples)
    happened = happenings(asked, ended, costs)
    happened[FURTHER] = happened.get("push", 0) * _further(files)
    return compared(path.name, seconds, predict.cpu(costs, happened, seconds), measured)


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    """Lines as records; one that a kill cut off is passed over."""
    if not path.exists():
        return
    decode = msgspec.json.Decoder(kind).decode
    with path.open("rb") as file:
        for line in file:
            try:
                yield decode(line)
            except msgspec.MsgspecError:
                continue


def _further(files: RunDir) -> float:
    """Devices beyond the first that a person has on average, of those that have any."""
    devices = [len(each.push) for each in _lines(files.people, Person) if each.push]
    return sum(devices) / len(devices) - 1 if devices else 0.0


def _asked(path: Path, first: float, last: float) -> Iterator[tuple[str, Asked]]:
    """Calls that were not refused, with the worker that made them."""
    for file in sorted(path.glob("asked-*.jsonl")):
        for line in _lines(file, Asked):
            if first <= line.ended <= last and line.outcome != "refused":
                yield file.name, line


def _ended(files: RunDir, samples: list[Sample]) -> Counter[str]:
    """Deliveries by channel that ended; without the books of it, how many ended, under ''."""
    found = Counter(line.channel for line in _lines(files.ended, Ended) if line.channel in CHANNELS)
    if not found:
        ends = [each.ended for each in samples if each.ended is not None]
        found[""] = ends[-1] - ends[0] if ends else 0
    return found


def happenings(
    asked: Iterable[tuple[str, Asked]], ended: Mapping[str, int], costs: Costs
) -> dict[str, float]:
    """Counts by driver (drivers.py). `ended` says how many deliveries came of all the asking: a
    request may name no channel, and a restock makes requests nobody asked for."""
    found: dict[str, float] = defaultdict(float)
    calls: dict[_Group, Counter[tuple[str, int]]] = defaultdict(Counter)
    named: Counter[str] = Counter()
    buckets = set()
    for worker, line in asked:
        bucket = int(line.began // _BUCKET)
        buckets.add(bucket)
        if line.kind == "notification":
            lane = _LANES.get(line.priority, "normal")
            calls[_Group(bucket, _way(line), lane)][worker, line.call] += 1
            named.update(line.channels)
        elif driver := _DRIVERS.get(line.kind):
            found[driver] += 1
    mix = _mix(ended, named, sum(sum(each.values()) for each in calls.values()))
    flows: dict[int, list[Flow]] = defaultdict(list)
    for group, sizes in calls.items():
        size = sizes.total() / len(sizes)
        flows[group.bucket].append(Flow(group.way, len(sizes) / _BUCKET, size, mix, group.lane))
    for each in flows.values():
        for name, count in counts(each, _BUCKET, costs.partitions, costs.window).items():
            found[name] += count
    _unsplit(found, calls)
    found[BUSY] = len(buckets) * _BUCKET
    return dict(found)


def _unsplit(found: dict[str, float], calls: Mapping[_Group, Counter[tuple[str, int]]]) -> None:
    """A call whose notifications are of several lanes is in a group of each; it is one call, and
    one record where it went straight into Kafka."""
    for way, name in (("batch", "batch calls"), ("kafka", "records")):
        parts = [call for group, sizes in calls.items() if group.way == way for call in sizes]
        if parts:
            found[name] -= len(parts) - len(set(parts))


def _way(line: Asked) -> Way:
    stream = line.stream.lower()
    if "kafka" in stream:
        return "kafka"
    return "batch" if "batch" in stream else "rest"


def _mix(ended: Mapping[str, int], named: Counter[str], notifications: int) -> dict[str, float]:
    """Deliveries of each channel that a notification has on average."""
    if not notifications:
        return {}
    if "" not in ended:
        return {channel: ended.get(channel, 0) / notifications for channel in CHANNELS}
    total = sum(named.values())
    shares = {c: named[c] / total for c in CHANNELS} if total else {"push": 1.0}
    return {c: share * ended[""] / notifications for c, share in shares.items()}
