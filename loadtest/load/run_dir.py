"""The files of one run: what the load, the sampler, the checker and the report hand each other.

`run.json` is written before the first call, `asked-*.jsonl` and `latencies-*.json` by each Locust
worker, `samples.jsonl` by the sampler, `received.jsonl` and `ended.jsonl` after quiescence,
`verdict.json` by the checker, `report.json` and `report.html` last.
"""

from pathlib import Path
from typing import IO, Final, Literal

import msgspec

Kind = Literal[
    "notification", "otp", "sign_up", "restock", "opt_out", "quiet_hours", "click", "connect", "ask"
]
Outcome = Literal["accepted", "refused", "unknown"]
"""`unknown`: no answer came, so it may have been accepted."""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a client's own history. Times are Unix seconds, 0: not so.

    `id` is what the client chose or was given (notification, challenge, event id); the client
    chooses the ids of notifications, so that one whose answer was lost has a name. `call` numbers
    the HTTP calls or Kafka records of this worker: the notifications of a batch share it.
    """

    kind: Kind
    stream: str
    call: int
    intended: float
    began: float
    ended: float
    outcome: Outcome
    id: str = ""
    user: str = ""
    type: str = ""
    channels: tuple[str, ...] = ()
    priority: str = "normal"
    sku: str = ""
    status: int = 0
    code: str = ""
    expires_at: float = 0
    quiet_from: float = 0
    quiet_until: float = 0


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of `people.jsonl`: the addresses a user was registered with, by channel."""

    user: str
    push: tuple[str, ...] = ()
    sms: str = ""
    email: str = ""


class Stream(msgspec.Struct, frozen=True):
    """What one stream of a worker did, in calls. `notifications` counts what the calls held."""

    intended: int
    begun: int
    accepted: int
    refused: int
    unknown: int
    notifications: int
    latency: dict[str, int]
    """`Histogram.as_dict`, from the intended start to the answer."""
    lag: dict[str, int]
    """`Histogram.as_dict`, from the intended start to the real one: its own lateness."""


class Latencies(msgspec.Struct, frozen=True):
    """`latencies-{worker}.json`, written anew (whole) every few seconds and at the end."""

    worker: str
    at: float
    streams: dict[str, Stream]


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of `samples.jsonl`, about one a second. What could not be read is left out.

    `cpu` (seconds used so far) and `rss` (bytes) by part of the system, `lag` (records) by topic
    (`topic (writer)`: the analytics writer's; without what is not behind),
    `ended` deliveries in ClickHouse so far, `backlog` deliveries accepted and not ended.
    """

    at: float
    cpu: dict[str, float] = {}
    rss: dict[str, int] = {}
    lag: dict[str, int] = {}
    ended: int | None = None
    backlog: int | None = None


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """`run.json`. `streams`: the calls meant to be made, by stream. `events`: what was done to the
    system on the way (kills, faults), with the time."""

    run: str
    shape: str
    scale: float
    seconds: float
    seed: int
    target: str
    people: int
    started_at: float
    streams: dict[str, int]
    workers: int = 1
    load_ended_at: float = 0
    quiet_at: float = 0
    broken_off: str = ""
    """Why the run ended early; empty for one that ran its course."""
    events: list[tuple[float, str]] = []


class Fault(msgspec.Struct, frozen=True):
    """One class of wrong in a verdict: how many, and the first twenty in words."""

    count: int
    examples: list[str]


class Verdict(msgspec.Struct, frozen=True):
    """`verdict.json`: what the checker found. `faults` has every class, those without any too.

    `by_state` counts the ends in ClickHouse (their sum is `ended`), `reasons` those that are not
    `delivered` as "state: reason"; `unended` of the expected deliveries have none. `cut` lines of
    the clients' histories were cut by a kill. `unjudged` says what could not be judged, and why:
    with anything in it a verdict without faults is no proof.
    """

    accepted: int
    may: int
    expected_deliveries: int
    received: int
    ended: int
    by_state: dict[str, int]
    faults: dict[str, Fault]
    seconds: float
    reasons: dict[str, int] = {}
    unended: int = 0
    sign_ups: int = 0
    cut: int = 0
    unjudged: tuple[str, ...] = ()


FAULTS: Final = (
    "lost", "duplicate", "phantom", "misordered", "late", "after_opt_out", "in_quiet_hours",
    "wrong_channel", "wrong_recipient",
)  # fmt: skip


class RunDir:
    """Paths of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run.json"
        self.people = path / "people.jsonl"
        self.samples = path / "samples.jsonl"
        self.machine = path / "machine.json"
        self.received = path / "received.jsonl"
        self.ended = path / "ended.jsonl"
        self.verdict = path / "verdict.json"
        self.report = path / "report.json"
        self.page = path / "report.html"

    def asked(self, worker: str) -> Path:
        """The history of one worker."""
        return self.path / f"asked-{worker}.jsonl"

    def latencies(self, worker: str) -> Path:
        """The histograms of one worker."""
        return self.path / f"latencies-{worker}.json"


class Lines:
    """JSON lines appended to a file; a kill loses at most what was not flushed, and cuts a line."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab", buffering=1 << 18)
        self._encode = msgspec.json.Encoder().encode

    def write(self, line: msgspec.Struct) -> None:
        self._file.write(self._encode(line) + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
