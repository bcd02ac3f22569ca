"""A run of the load against the model: what its clients asked becomes counts, and CPU."""

from pathlib import Path

import msgspec
import pytest

from loadtest.capacity import predict
from loadtest.capacity.against import against, happenings
from loadtest.load.run_dir import Asked, Lines, RunDir, Sample
from tests.unit.loadtest.capacity_costs import COSTS
from tocsin.errors import ConfigError


def _asked(call: int, stream: str, at: float, **more: object) -> Asked:
    found = {"kind": "notification", "stream": stream, "call": call, "intended": at, "began": at,
             "ended": at + 0.01, "outcome": "accepted", **more}  # fmt: skip
    return msgspec.convert(found, Asked)


def _run(path: Path) -> None:
    files = RunDir(path)
    asked = Lines(files.asked("w1"))
    for call in range(100):
        at = 1_000 + call / 10
        asked.write(_asked(call, "rest", at, channels=["push"]))
        for _ in range(20):
            asked.write(_asked(1_000 + call, "batch", at, channels=["email"], priority="high"))
        asked.write(_asked(2_000 + call, "otp", at, kind="otp"))
        asked.write(_asked(3_000 + call, "rest", at, channels=["push"], outcome="refused"))
    asked.close()
    ended = files.ended.open("wb")
    for channel, count in (("push", 100), ("email", 2_000), ("sms", 100)):
        for _ in range(count):
            ended.write(b'{"delivery_id":"x:%b","state":"delivered"}\n' % channel.encode())
    ended.write(b'{"delivery_id":"x:push","state":"suppressed"}\n' * 50)
    ended.write(b'{"cut off')
    ended.close()


def test_what_was_asked_becomes_counts(tmp_path: Path) -> None:
    _run(tmp_path)
    decode = msgspec.json.Decoder(Asked).decode_lines
    lines = decode(RunDir(tmp_path).asked("w1").read_bytes())
    kept = [("w1", line) for line in lines if line.outcome != "refused"]
    found = happenings(kept, {"push": 100, "email": 2_000, "sms": 100}, COSTS)
    assert found["push"] == pytest.approx(100)
    assert found["email"] == pytest.approx(2_000)
    assert found["rest"] == pytest.approx(100)
    assert found["batch calls"] == pytest.approx(100)
    assert found["batch items"] == pytest.approx(2_000)
    assert found["otp"] == 100
    assert found["records"] == pytest.approx(100 + 100 * 4, rel=0.02)
    assert found["busy seconds"] == 10


def test_a_run_is_predicted_part_by_part(tmp_path: Path) -> None:
    _run(tmp_path)
    files, samples = RunDir(tmp_path), Lines(RunDir(tmp_path).samples)
    assert files.samples.exists()
    used = {"streams": 50.0, "actors": 80.0, "locust": 30.0}
    samples.write(Sample(at=995))
    samples.write(Sample(at=999, cpu=used))
    later = {"streams": 51.0, "actors": 81.0, "locust": 40.0}
    samples.write(Sample(at=1_019, cpu=later, ended=2_200))
    samples.close()
    found = against(tmp_path, COSTS)
    assert found.seconds == 20
    assert found.measured == {"streams": 1.0, "actors": 1.0}
    assert found.unpriced == {"locust": 10.0}
    idle = predict.cpu(COSTS, {}, 20)
    assert found.predicted["streams"] > idle["streams"] + 2_200 * 60e-6
    assert found.predicted["actors"] > 2_000 * 200e-6


def test_without_books_the_deliveries_are_those_that_were_counted(tmp_path: Path) -> None:
    asked = [("w", _asked(n, "kafka", 10.0, channels=["push", "email"])) for n in range(50)]
    found = happenings(asked, {"": 100}, COSTS)
    assert found["push"] == pytest.approx(50)
    assert found["email"] == pytest.approx(50)
    assert "rest" not in found


def test_a_call_of_several_lanes_is_one_call() -> None:
    asked = [
        ("w", _asked(call, stream, 10.0, channels=["push"], priority=priority))
        for stream, base in (("batch", 0), ("kafka", 100))
        for call in range(base, base + 10)
        for priority in ("high", "normal", "low")
    ]
    found = happenings(asked, {"push": 60}, COSTS)
    assert found["batch calls"] == pytest.approx(10)
    # 30 notifications of the API's calls are as many records, each lane has topics of its own
    assert found["records"] == pytest.approx(30 + 10)


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="samples"):
        against(tmp_path, COSTS)
