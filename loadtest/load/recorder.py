"""One worker's books: its history line by line, its latencies as histograms. Knows no Locust."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

import msgspec

from loadtest.load.dispatcher import Job
from loadtest.load.histogram import Histogram
from loadtest.load.run_dir import Asked, Latencies, Lines, Outcome, RunDir, Stream


class Recorder:
    """`asked-{worker}.jsonl` and `latencies-{worker}.json`. Times are Unix seconds."""

    def __init__(self, run_dir: RunDir, worker: str, clock: Callable[[], float]) -> None:
        self._path, self._worker, self._clock = run_dir.latencies(worker), worker, clock
        self._lines = Lines(run_dir.asked(worker))
        self._begun: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._ended: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        self._latency: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._lag: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._seconds_of: Counter[str] = Counter()
        self._calls = 0

    def begin(self, job: Job) -> tuple[int, float]:
        """A call begins now: its number among this worker's calls, and the moment."""
        now = self._clock()
        self._calls += 1
        self._begun[job.stream] += 1
        self._lag[job.stream].record(now - job.intended)
        return self._calls, now

    def end(self, job: Job, outcome: Outcome, held: int = 0) -> float:
        """It was answered, or never will be; the moment. `held`: how many notifications it had."""
        now = self._clock()
        self._ended[job.stream][outcome] += 1
        self._held[job.stream] += held
        self._latency[job.stream].record(now - job.intended)
        return now

    def follow(self, stream: str, job: Job, outcome: Outcome) -> float:
        """A second step of a call, under a name of its own, timed from the call's intended start:
        begun because the first step ended, so it has no lateness of its own. The moment."""
        self._begun[stream] += 1
        self._seconds_of[stream] += 1
        return self.end(Job(stream, job.number, job.intended), outcome)

    def asked(self, line: Asked) -> None:
        """A line of the history; on disk after the next `write`."""
        self._lines.write(line)

    @property
    def answered(self) -> int:
        """Calls that had an answer of whatever kind."""
        return sum(ended["accepted"] + ended["refused"] for ended in self._ended.values())

    def write(self, intended: Mapping[str, int]) -> None:
        """Put both on disk. `intended`: calls meant to have begun by now, by stream."""
        self._lines.flush()
        whole = {**intended, **self._seconds_of}
        streams = {name: self._stream(name, count) for name, count in whole.items()}
        fresh = self._path.with_suffix(".tmp")
        fresh.write_bytes(msgspec.json.encode(Latencies(self._worker, self._clock(), streams)))
        fresh.replace(self._path)

    def _stream(self, name: str, intended: int) -> Stream:
        ended = self._ended[name]
        return Stream(
            intended, self._begun[name], ended["accepted"], ended["refused"], ended["unknown"],
            self._held[name], self._latency[name].as_dict(), self._lag[name].as_dict(),
        )  # fmt: skip

    def close(self) -> None:
        """No more is written."""
        self._lines.close()
