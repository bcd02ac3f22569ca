"""Rates, latencies over time and a code's way, from lines that are read once."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from loadtest.judge import history, samples
from loadtest.judge.history import History, Line
from loadtest.judge.lines import Skipped, read_lines
from loadtest.judge.samples import Samples, binned
from loadtest.load.run_dir import Sample


def line(kind: str, call: int, at: float, took: float = 0.1, outcome: str = "accepted") -> Line:
    return msgspec.convert(
        {
            "kind": kind, "stream": "otp" if kind == "otp" else "batch", "call": call,
            "intended": 1000 + at, "ended": 1000 + at + took, "outcome": outcome, "id": f"c{call}",
        },
        Line,
    )  # fmt: skip


def test_the_lines_of_a_call_count_each_and_are_timed_once() -> None:
    found = History(1000, step=10)
    found.add([line("notification", 1, 0.5), line("notification", 1, 0.5),
               line("notification", 2, 12.9, took=3), line("click", 3, 1)])  # fmt: skip
    found.end()
    assert found.meant == {0: 2, 12: 1}
    assert found.taken == {0: 2, 15: 1}
    assert {n: h.count for n, h in found.latency["batch"].items()} == {0: 2, 1: 1}


def test_where_nobody_is_to_be_told_everything_asked_counts() -> None:
    found = History(1000, step=10)
    found.add([line("connect", 1, 0.5), line("connect", 2, 0.7, outcome="refused")])
    assert (found.end().meant, found.taken) == ({0: 2}, {0: 1})


def test_a_codes_way_ends_with_its_first_arrival(tmp_path: Path) -> None:
    found, skipped = History(1000, step=10), Skipped()
    found.add([line("otp", 1, 5), line("otp", 2, 6), line("otp", 3, 7, outcome="refused")])
    receipts = [("c1:sms", 1005.2), ("c1:sms", 1009), ("c3:sms", 1010), ("n1:push", 1001)]
    file = tmp_path / "received.jsonl"
    file.write_bytes(
        b"\n".join(msgspec.json.encode({"delivery_id": d, "received_at": at}) for d, at in receipts)
    )
    arrived = history.arrivals(file, found.codes, skipped)
    assert arrived.count == 1
    assert arrived.percentile(99) == pytest.approx(0.2, rel=0.01)
    assert list(found.codes) == ["c2"]


def test_a_line_that_a_kill_cut_is_skipped_and_counted(tmp_path: Path) -> None:
    file, skipped = tmp_path / "samples.jsonl", Skipped()
    file.write_text('{"at":1}\n{"at":2,"ended":5}\n\xff\n{"at":3,"en')
    assert [s.at for s in read_lines(file, Sample, skipped)] == [1, 2]
    assert skipped == Counter({"samples.jsonl": 2})
    assert list(read_lines(tmp_path / "none.jsonl", Sample, skipped)) == []


def test_what_was_not_read_is_unknown_and_a_topic_left_out_is_not_behind() -> None:
    found = Samples(
        [
            Sample(1, rss={"api": 5}),
            Sample(2, lag={"a": 0}, ended=3),
            Sample(3, lag={"a": 1, "b": 2}, rss={"api": 6, "ray": 9}),
        ]
    )
    assert list(found.known(found.ended)) == [(2, 3)]
    assert list(found.known(found.rss["ray"])) == [(3, 9)]
    assert list(found.known(found.behind)) == [(2, 0), (3, 3)]
    assert list(found.known(found.lag["a"])) == [(2, 0), (3, 1)]
    assert list(found.known(found.lag["b"])) == [(2, 0), (3, 2)]
    assert samples.read(Path("/nowhere"), Skipped()).at == found.at[:0]


def test_a_bin_without_a_value_is_not_known() -> None:
    assert binned([(0, 1), (1, 5), (25, 2), (99, 9), (-1, 9)], 0, 10, 3, max) == [5, None, 2]
