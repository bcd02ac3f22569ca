"""One call on its way: what it means is said before it is made, what became of it after."""

from typing import Any

from loadtest.load.dispatcher import Job
from loadtest.load.recorder import Recorder
from loadtest.load.run_dir import Asked, Kind, Outcome


class Call:
    """Begun when it is made. Whatever ends it early leaves its lines with an unknown outcome."""

    def __init__(self, recorder: Recorder, job: Job) -> None:
        self._recorder, self.job = recorder, job
        self.number, self.began = recorder.begin(job)
        self._lines: list[dict[str, Any]] = []
        self._over = False

    def means(self, kind: Kind, **fields: Any) -> None:
        """A line of the history this call is to have; fields as `Asked` has them."""
        self._lines.append({"kind": kind, **fields})

    def end(
        self,
        outcome: Outcome,
        status: int = 0,
        code: str = "",
        refused: frozenset[int] = frozenset(),
        **fields: Any,
    ) -> None:
        """It was answered, or is given up. Lines whose places are in `refused` were not taken;
        `fields` are what the answer adds to each line. A second end changes nothing."""
        if self._over:
            return
        self._over = True
        held = sum(line["kind"] == "notification" for line in self._lines)
        ended = self._recorder.end(self.job, outcome, held)
        for place, line in enumerate(self._lines):
            self._recorder.asked(
                Asked(
                    stream=self.job.stream, call=self.number, intended=self.job.intended,
                    began=self.began, ended=ended, status=status, code=code,
                    outcome="refused" if place in refused else outcome, **line, **fields,
                )
            )  # fmt: skip

    def abandon(self) -> None:
        """No answer will come."""
        self.end("unknown", code="abandoned")
