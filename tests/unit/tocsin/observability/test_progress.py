"""When a process counts as stuck: a part with work that has not moved for longer than it may."""

import asyncio

import pytest

from tocsin.observability import progress as module
from tocsin.observability.progress import AT_WORK, Progress, beat, in_other_hands, verdict


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress(clock)


def never() -> bool:
    raise AssertionError("nothing stands still, so nobody asks Kafka")


def test_a_part_is_late_when_it_has_not_moved_for_longer_than_it_may(
    progress: Progress, clock: Clock
) -> None:
    part = progress.part("writer", 30)
    clock.at += 30
    assert progress.late() == []
    clock.at += 1
    assert progress.late() == [part]
    part.moved()
    assert progress.late() == []


def test_who_has_nothing_to_do_is_never_late(progress: Progress, clock: Clock) -> None:
    work: list[str] = []
    part = progress.part("consumer", 30, lambda: bool(work))
    clock.at += 10_000
    assert progress.late() == []
    part.moved()
    work.append("a batch")
    assert progress.late() == [], "an hour of rest is not held against it"
    clock.at += 31
    assert progress.late() == [part]


def test_a_part_of_a_name_takes_the_place_of_the_one_before(
    progress: Progress, clock: Clock
) -> None:
    progress.part("writer", 1)
    clock.at += 5
    progress.part("writer", 1)
    assert progress.late() == []


def test_the_verdict_names_what_stands_still_and_for_how_long(
    progress: Progress, clock: Clock
) -> None:
    assert verdict(progress.late(), never) == (True, "ok\n")
    progress.part("consumer of x", 30, needs_log=True)
    clock.at += 31
    alive, text = verdict(progress.late(), lambda: True)
    assert not alive
    assert text == "consumer of x: no progress for 31 s\n"


def test_an_absent_kafka_excuses_what_needs_it(progress: Progress, clock: Clock) -> None:
    progress.part("consumer of x", 30, needs_log=True)
    clock.at += 31
    alive, text = verdict(progress.late(), lambda: False)
    assert alive
    assert "Kafka does not answer" in text


def test_an_absent_kafka_does_not_excuse_a_blocked_loop(progress: Progress, clock: Clock) -> None:
    progress.part("consumer of x", 30, needs_log=True)
    progress.part("event loop", 30)
    clock.at += 31
    assert not verdict(progress.late(), lambda: False)[0]


async def test_the_loop_moves_while_it_runs_and_ends_in_order(
    progress: Progress, clock: Clock
) -> None:
    beating = asyncio.create_task(beat(progress))
    await asyncio.sleep(0)
    clock.at += module.LOOP_SECONDS + 1
    assert [part.name for part in progress.late()] == ["event loop"]
    beating.cancel()
    await asyncio.wait({beating})
    assert progress.late() == []


async def test_work_in_other_hands_moves_however_long_it_takes(
    progress: Progress, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_NOTE", 0)
    part = progress.part("consumer of x", 30)
    token = AT_WORK.set(part)
    with in_other_hands():
        clock.at += 1_000
        while part.late:
            await asyncio.sleep(0)
    AT_WORK.reset(token)
    clock.at += 31
    await asyncio.sleep(0)
    assert part.late, "its own again"


async def test_without_somebodys_work_there_is_nothing_to_note() -> None:
    with in_other_hands():
        assert AT_WORK.get() is None
