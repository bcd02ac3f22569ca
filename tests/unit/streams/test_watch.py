"""When a consumer counts as stuck: lag, nothing at work, no progress, several times in a row."""

from types import SimpleNamespace
from typing import Any

from streams.watch import CHECKS, Stuck


def _consumer(**more: Any) -> Any:
    return SimpleNamespace(
        topic=SimpleNamespace(name="t"), **({"acknowledged": 0, "idle": True} | more)
    )


def _checks(consumer: Any, lag: int, times: int = CHECKS) -> list[str]:
    stuck = Stuck([consumer])
    return [stuck.check({"t": lag}) for _ in range(times)][-1]


def test_lag_without_progress_is_stuck_after_some_checks_and_not_before() -> None:
    assert _checks(_consumer(), lag=5) == ["t"]
    assert _checks(_consumer(), lag=5, times=CHECKS - 1) == []


def test_no_lag_is_never_stuck() -> None:
    assert _checks(_consumer(), lag=0, times=50) == []


def test_a_batch_at_work_is_not_stuck_however_long_it_takes() -> None:
    assert _checks(_consumer(idle=False), lag=5, times=50) == []


def test_any_progress_starts_the_count_again() -> None:
    consumer = _consumer()
    stuck = Stuck([consumer])
    for _ in range(5):
        for _ in range(CHECKS - 1):
            assert stuck.check({"t": 5}) == []
        consumer.acknowledged += 1
        assert stuck.check({"t": 5}) == []
