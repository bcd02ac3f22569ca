"""A run's directory that is made up: a good run, of which a test spoils one thing."""

import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from loadtest.load.histogram import Histogram
from loadtest.load.run_dir import (
    FAULTS,
    Asked,
    Fault,
    Kind,
    Latencies,
    Lines,
    Run,
    RunDir,
    Sample,
    Stream,
    Verdict,
)

START: Final = 1_790_000_000.0
HOSTILE: Final = "<script>alert('n1')</script>"
_PARTS: Final = {
    "streams": (0.55, 420), "actors": (0.45, 980), "clickhouse": (0.2, 640), "api": (0.3, 150),
    "broker": (0.15, 210), "valkey": (0.08, 90), "sandbox": (0.25, 120), "writer": (0.05, 110),
    "otp worker": (0.04, 130), "ray": (0.05, 370),
}  # fmt: skip
_STREAMS: Final[dict[str, tuple[Kind, float]]] = {
    "rest": ("notification", 0.4), "batch": ("notification", 0.4),
    "kafka": ("notification", 0.15), "otp": ("otp", 0.05),
}  # fmt: skip


@dataclass
class Made:
    """What to write. Times in seconds, memory in MB."""

    seconds: int = 1800
    per_second: float = 2
    drained_after: float = 20
    watched_after: int = 60
    answer: float = 0.02
    arrival: float = 0.1
    lag: float = 0.001
    answered: float = 1.0
    begun: float = 1.0
    growing: dict[str, float] = field(default_factory=dict)
    """Part → MB more by the hour."""
    faults: dict[str, int] = field(default_factory=dict)
    events: list[tuple[float, str]] = field(default_factory=list)
    planned: float = 1.0
    """Calls that `run.json` plans, for each that was meant."""
    unjudged: tuple[str, ...] = ()
    broken_off: str = ""
    verdict: bool = True
    samples: bool = True
    received: bool = True
    seed: int = 6

    def write(self, path: Path) -> RunDir:
        """Everything into `path`, over what is there."""
        for file in path.glob("*.json*"):
            file.unlink()
        run_dir, dice = RunDir(path), random.Random(self.seed)
        asked = self._asked(dice)
        self._history(run_dir, asked)
        self._latencies(run_dir, asked, dice)
        if self.samples:
            self._samples(run_dir, dice)
        if self.verdict:
            run_dir.verdict.write_bytes(msgspec.json.encode(self._verdict(len(asked))))
        run_dir.machine.write_bytes(msgspec.json.encode({"Processor": "Made up", "Cores": "2"}))
        planned: dict[str, int] = {}
        for line in asked:
            planned[line.stream] = planned.get(line.stream, 0) + 1
        planned = {name: round(calls * self.planned) for name, calls in planned.items()}
        run_dir.run.write_bytes(msgspec.json.encode(self._run(planned)))
        return run_dir

    def _run(self, planned: dict[str, int]) -> Run:
        end = 0 if self.broken_off else START + self.seconds
        return Run(
            run="made-up", shape="day", scale=0.02, seconds=self.seconds, seed=self.seed,
            target="http://127.0.0.1:8080", people=5_000, started_at=START, streams=planned,
            load_ended_at=end, quiet_at=end and end + self.drained_after,
            broken_off=self.broken_off, events=[(START + at, said) for at, said in self.events],
        )  # fmt: skip

    def rate(self, at: float) -> float:
        """A day with a busy evening."""
        return self.per_second * (1 - 0.6 * math.cos(2 * math.pi * at / self.seconds))

    def _asked(self, dice: random.Random) -> list[Asked]:
        found, names = list[Asked](), list(_STREAMS)
        shares = [share for _, share in _STREAMS.values()]
        for second in range(self.seconds):
            whole, rest = divmod(self.rate(second), 1)
            for _ in range(int(whole) + (dice.random() < rest)):
                stream = dice.choices(names, shares)[0]
                intended, n = START + second + dice.random(), len(found)
                began = intended + self.lag
                answer = began + self.answer * dice.uniform(0.5, 1)
                accepted = dice.random() < self.answered
                found.append(
                    Asked(
                        _STREAMS[stream][0], stream, n, intended, began, answer,
                        "accepted" if accepted else "refused", f"n{n}", f"u{n % 100}",
                        channels=("push",), status=202 if accepted else 503,
                    )
                )  # fmt: skip
        return found

    def _history(self, run_dir: RunDir, asked: list[Asked]) -> None:
        lines = Lines(run_dir.asked("w1"))
        for line in asked:
            lines.write(line)
        lines.close()
        if self.received:
            with run_dir.received.open("wb") as file:
                for line in asked:
                    if line.kind == "otp":
                        at = line.intended + self.arrival
                        body = {"delivery_id": f"{line.id}:sms", "received_at": at, "type": "OTP"}
                        file.write(msgspec.json.encode(body) + b"\n")

    def _latencies(self, run_dir: RunDir, asked: list[Asked], dice: random.Random) -> None:
        streams = {}
        for name in _STREAMS:
            mine = [line for line in asked if line.stream == name]
            latency, lag = Histogram(), Histogram()
            for line in mine:
                latency.record(line.ended - line.intended)
                lag.record(self.lag)
            taken = sum(line.outcome == "accepted" for line in mine)
            begun = round(len(mine) * self.begun)
            streams[name] = Stream(
                len(mine), begun, taken, begun - taken, 0, len(mine), latency.as_dict(),
                lag.as_dict(),
            )  # fmt: skip
        found = Latencies("w1", START + self.seconds, streams)
        run_dir.latencies("w1").write_bytes(msgspec.json.encode(found))

    def _samples(self, run_dir: RunDir, dice: random.Random) -> None:
        lines, ended, cpu = Lines(run_dir.samples), 0.0, dict.fromkeys(_PARTS, 0.0)
        for second in range(self.seconds + self.watched_after):
            busy = self.rate(second) / self.per_second if second < self.seconds else 0.1
            ended += self.rate(second) if second < self.seconds else 0
            over = second - self.seconds
            backlog = round(20 * busy * self.per_second * dice.uniform(0.6, 1.4)) if over < 0 else 0
            if 0 <= over < self.drained_after:
                backlog = round(50 * (1 - over / self.drained_after)) + 1
            for part, (cores, _) in _PARTS.items():
                cpu[part] += cores * busy * dice.uniform(0.7, 1.1)
            rss = {
                part: int(1e6 * (mb + self.growing.get(part, 0) * second / 3600 + dice.gauss(0, 1)))
                for part, (_, mb) in _PARTS.items()
            }
            lag = {"notification.requests": backlog // 3, "channel.push": backlog // 2}
            lag |= {"delivery.outcomes (writer)": backlog} if backlog else {}
            lines.write(Sample(START + second, dict(cpu), rss, lag, round(ended), backlog))
        lines.close()

    def _verdict(self, accepted: int) -> Verdict:
        faults = {
            name: Fault(n := self.faults.get(name, 0), [f"{HOSTILE} {name} {i}" for i in range(n)])
            for name in FAULTS
        }
        return Verdict(
            accepted, 0, accepted, accepted, accepted,
            {"delivered": accepted - 3, "failed": 3}, faults, 12.5, unjudged=self.unjudged,
        )  # fmt: skip
