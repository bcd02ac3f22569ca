"""Calls go out at their moment; whoever is not there for one does not make it undone."""

from loadtest.load.arrivals import Arrival
from loadtest.load.dispatcher import Dispatcher, Job

START = 1_000.0


class Desk:
    """Takes so many jobs."""

    def __init__(self, room: int = 1_000) -> None:
        self.room, self.jobs = room, list[Job]()

    def __call__(self, job: Job) -> bool:
        if len(self.jobs) >= self.room:
            return False
        self.jobs.append(job)
        return True


def dispatcher(desk: Desk, *times: float) -> Dispatcher:
    arrivals = (Arrival(at, "rest" if n % 2 == 0 else "otp", n) for n, at in enumerate(times))
    return Dispatcher(arrivals, START, desk)


def test_nothing_goes_out_before_its_moment() -> None:
    desk = Desk()
    calls = dispatcher(desk, 1, 2, 2.5)
    assert calls.tick(START) == 1
    assert desk.jobs == []
    assert calls.tick(START + 1) == 1
    assert desk.jobs == [Job("rest", 0, START + 1)]
    assert not calls.done


def test_whoever_comes_late_hands_out_all_that_is_due_with_the_moment_it_was_meant_for() -> None:
    desk = Desk()
    calls = dispatcher(desk, 1, 2, 2.5, 9)
    assert calls.tick(START + 5) == 4
    assert [job.intended - START for job in desk.jobs] == [1, 2, 2.5]
    assert calls.intended == {"rest": 2, "otp": 1}


def test_the_last_call_ends_it() -> None:
    calls = dispatcher(Desk(), 1)
    assert calls.tick(START + 1) is None
    assert calls.done
    assert calls.tick(START + 2) is None


def test_a_call_that_finds_no_room_was_intended_all_the_same() -> None:
    desk = Desk(room=1)
    calls = dispatcher(desk, 1, 2, 3)
    calls.tick(START + 3)
    assert len(desk.jobs) == 1
    assert calls.intended.total() == 3
    assert calls.missed == {"otp": 1, "rest": 1}


def test_what_was_due_at_the_end_counts_as_intended_and_what_was_not_does_not() -> None:
    desk = Desk()
    calls = dispatcher(desk, 1, 2, 3, 4)
    calls.tick(START + 1)
    calls.close(START + 3)
    assert calls.done
    assert len(desk.jobs) == 1
    assert calls.intended.total() == 3
    assert calls.missed.total() == 2
    assert calls.tick(START + 9) is None


def test_without_arrivals_there_is_nothing_to_wait_for() -> None:
    calls = dispatcher(Desk())
    assert calls.done
    assert calls.tick(START) is None
