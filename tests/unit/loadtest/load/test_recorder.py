"""A worker's books: latencies from the intended moment, lateness of its own, one line a thing."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from loadtest.load.call import Call
from loadtest.load.dispatcher import Job
from loadtest.load.histogram import Histogram
from loadtest.load.progress import Progress, Silence, backlog, read
from loadtest.load.recorder import Recorder
from loadtest.load.run_dir import Asked, Latencies, RunDir, Sample


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


Books = Callable[..., Recorder]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Makes recorders in the test's directory, and closes them."""
    with ExitStack() as stack:

        def made(clock: Clock, worker: str = "0") -> Recorder:
            recorder = Recorder(RunDir(tmp_path), worker, clock)
            stack.callback(recorder.close)
            return recorder

        yield made


def lines(path: Path) -> list[Asked]:
    text = RunDir(path).asked("0").read_bytes()
    return [msgspec.json.decode(line, type=Asked) for line in text.splitlines()]


def latencies(path: Path) -> Latencies:
    return msgspec.json.decode(RunDir(path).latencies("0").read_bytes(), type=Latencies)


def about(found: dict[str, int]) -> tuple[int, float]:
    histogram = Histogram.from_dict(found)
    return histogram.count, round(histogram.percentile(100) or 0, 1)


def test_a_call_is_timed_from_when_it_was_meant_to_begin(books: Books, tmp_path: Path) -> None:
    clock = Clock()
    recorder = books(clock)
    call = Call(recorder, Job("batch", 0, intended=999.0))
    call.means("notification", id="n1", user="u", channels=("push",))
    call.means("notification", id="n2", user="v", channels=("sms",), priority="low")
    clock.now = 1_002.0
    call.end("accepted", 202, refused=frozenset({1}))
    recorder.write({"batch": 3})
    stream = latencies(tmp_path).streams["batch"]
    assert (stream.intended, stream.begun, stream.accepted, stream.notifications) == (3, 1, 1, 2)
    assert about(stream.latency) == (1, 3.0)
    assert about(stream.lag) == (1, 1.0)
    first, second = lines(tmp_path)
    assert (first.outcome, first.intended, first.began, first.ended) == (
        "accepted", 999.0, 1_000.0, 1_002.0,
    )  # fmt: skip
    assert (second.outcome, second.priority, second.call) == ("refused", "low", first.call)


def test_a_call_that_is_given_up_is_unknown_and_ends_once(books: Books, tmp_path: Path) -> None:
    recorder = books(Clock())
    call = Call(recorder, Job("rest", 0, 1_000.0))
    call.means("notification", id="n", user="u")
    call.abandon()
    call.end("accepted", 202)
    recorder.write({"rest": 1})
    assert [line.outcome for line in lines(tmp_path)] == ["unknown"]
    stream = latencies(tmp_path).streams["rest"]
    assert (stream.accepted, stream.unknown) == (0, 1)


def test_what_was_never_begun_shows_as_intended(books: Books, tmp_path: Path) -> None:
    recorder = books(Clock())
    recorder.write({"rest": 5})
    stream = latencies(tmp_path).streams["rest"]
    assert (stream.intended, stream.begun) == (5, 0)


def test_a_second_step_is_timed_from_the_start_of_the_first(books: Books, tmp_path: Path) -> None:
    clock = Clock()
    recorder = books(clock)
    job = Job("otp", 0, 1_000.0)
    clock.now = 1_004.0
    recorder.follow("code_seen", job, "accepted")
    recorder.write({})
    stream = latencies(tmp_path).streams["code_seen"]
    assert (stream.intended, stream.begun, stream.accepted) == (1, 1, 1)
    assert about(stream.latency) == (1, 4.0)
    assert about(stream.lag) == (0, 0)


def test_the_progress_is_that_of_all_workers_and_streams(books: Books, tmp_path: Path) -> None:
    for worker in ("0", "1"):
        recorder = books(Clock(), worker)
        Call(recorder, Job("rest", 0, 999.5)).end("accepted")
        Call(recorder, Job("otp", 0, 1_000.0)).end("refused")
        Call(recorder, Job("otp", 0, 1_000.0)).abandon()
        recorder.write({"rest": 2, "otp": 2})
    found = read(RunDir(tmp_path))
    assert found._replace(lag=0) == Progress(8, 6, 2, 2, 2, 0, 0)
    assert round(found.lag, 1) == 0.5
    assert found.answered == 4


def test_without_files_there_is_no_progress_and_no_backlog(tmp_path: Path) -> None:
    assert read(RunDir(tmp_path)) == Progress()
    assert backlog(RunDir(tmp_path)) is None


def test_the_backlog_is_the_last_sample_s(tmp_path: Path) -> None:
    samples = [Sample(at=n, backlog=n) for n in range(1, 200)]
    text = b"".join(msgspec.json.encode(sample) + b"\n" for sample in samples)
    RunDir(tmp_path).samples.write_bytes(text)
    assert backlog(RunDir(tmp_path)) == 199


def test_a_system_is_gone_when_calls_are_made_and_none_is_answered() -> None:
    silence = Silence(limit=30)
    assert not silence.lasts(0, begun=10, answered=10)
    assert not silence.lasts(29, begun=20, answered=10)
    assert silence.lasts(30, begun=30, answered=10)


def test_an_answer_ends_the_silence() -> None:
    silence = Silence(limit=30)
    silence.lasts(0, begun=10, answered=10)
    assert not silence.lasts(29, begun=20, answered=11)
    assert not silence.lasts(58, begun=30, answered=11)
    assert silence.lasts(59, begun=31, answered=11)


def test_nobody_has_to_answer_where_nothing_is_asked() -> None:
    silence = Silence(limit=30)
    silence.lasts(0, begun=10, answered=10)
    assert not silence.lasts(100, begun=10, answered=10)
    assert not silence.lasts(129, begun=11, answered=10)
    assert silence.lasts(130, begun=12, answered=10)
