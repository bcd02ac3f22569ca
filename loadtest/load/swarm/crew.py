"""One Locust worker's crew: the dispatcher, its bounded queues, and the books.

Locust's users only carry: each takes the next due job of its stream. How many there are decides
nothing but how many calls can be on their way at once.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple

import gevent
from gevent.queue import Empty, Full, Queue

from loadtest.load import arrivals
from loadtest.load.call import Call
from loadtest.load.dispatcher import Dispatcher, Job
from loadtest.load.prepare import crowd_of
from loadtest.load.recorder import Recorder
from loadtest.load.run_dir import RunDir
from loadtest.load.service import service_token
from loadtest.load.shapes import Flow, Plan
from loadtest.load.swarm.records import Records
from tocsin.settings import Settings

log = logging.getLogger(__name__)

_LAZIEST: Final = 0.02
"""Seconds the dispatcher sleeps at most, so that a wrong guess costs no more."""

_LAST_ANSWERS: Final = 25.0
_ROOM: Final = 20_000
_PATIENT_SECONDS: Final = 5.0
"""So many seconds of calls may be unanswered at once before new ones are late."""

_MOST_CARRIERS: Final = 400


class Share(NamedTuple):
    """What a crew is to do: its part (`worker` of `workers`, from 0) of `plan`, from `start`."""

    plan: Plan
    run: str
    seed: int
    worker: int
    workers: int
    start: float
    folder: Path


class Crew:
    """Begins with `work`; `close` writes the books' last state."""

    def __init__(self, settings: Settings, share: Share) -> None:
        self.settings, self.plan, self.run = settings, share.plan, share.run
        self.seed, self._share = share.seed, share
        self.crowd = crowd_of(share.run, share.plan)
        self.token = service_token(settings)
        self.records = Records(settings)
        self.recorder = Recorder(RunDir(share.folder), str(share.worker), time.time)
        self.sessions: deque[Any] = deque()
        self._queues = {flow.stream: Queue(maxsize=_ROOM) for flow in share.plan.flows}
        self._busy, self._closed = 0, False
        mine = arrivals.of_plan(share.plan, share.seed, share.worker, share.workers)
        self._dispatcher = Dispatcher(mine, share.start, self._offer)

    def carriers(self, stream: str) -> int:
        """How many calls of a stream may be on their way at once here."""
        if not any(flow.stream == stream for flow in self.plan.flows):
            return 0
        flow = self.plan.flow(stream)
        rate = flow.calls * flow.curve.peak / self.plan.seconds / self._share.workers
        return min(_MOST_CARRIERS, max(4, ceil(rate * _PATIENT_SECONDS)))

    def flow(self, stream: str) -> Flow:
        """The flow of a stream."""
        return self.plan.flow(stream)

    def work(self) -> None:
        """Hand out every job at its moment; returns when all are answered, or given up."""
        gevent.spawn(self._books)
        while (wait := self._dispatcher.tick(time.time())) is not None and not self._closed:
            gevent.sleep(min(max(wait, 0), _LAZIEST))
        end = time.time() + _LAST_ANSWERS
        while (self._busy or self._waiting()) and time.time() < end and not self._closed:
            gevent.sleep(0.05)

    @contextmanager
    def next(self, stream: str) -> Iterator[Call]:
        """The next due job of a stream as a call that begins now; waits for one."""
        job = self._queues.setdefault(stream, Queue()).get()
        self._busy += 1
        call = Call(self.recorder, job)
        try:
            yield call
        finally:
            call.abandon()
            self._busy -= 1

    def stop(self) -> None:
        """Begin nothing more; what was due and not begun stays counted as intended."""
        self._dispatcher.close(time.time())
        for queue in self._queues.values():
            while True:
                try:
                    queue.get_nowait()
                except Empty:
                    break

    def close(self) -> None:
        """The last state of the books; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._dispatcher.close(time.time())
        self.recorder.write(self._dispatcher.intended)
        self.recorder.close()

    def _offer(self, job: Job) -> bool:
        try:
            self._queues[job.stream].put_nowait(job)
        except Full:
            return False
        return True

    def _waiting(self) -> int:
        return sum(queue.qsize() for queue in self._queues.values())

    def _books(self) -> None:
        while not self._closed:
            self.recorder.write(self._dispatcher.intended)
            gevent.sleep(1)
