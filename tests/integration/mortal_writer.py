"""The writer as it is, again and again: a process that has everything imported already and forks
one for each line it reads, so that a life begins in milliseconds.

It takes its partitions rather than join the group for them: the embedded broker lets who comes
after a dead member wait for seconds, and test_writer_crash.py dies within the group. Blocks are a
tenth of a second.
"""

import os
import signal
import sys

from aiokafka import TopicPartition

from analytics.writer import __main__ as program
from analytics.writer import writer
from tocsin.groups import ANALYTICS, READS
from tocsin.process import run


class Alone(writer.Writer):
    """Every partition is its own."""

    def subscribe(self) -> None:
        """Takes them."""
        partitions = range(self._settings.partitions)
        places = [TopicPartition(t.name, p) for t in READS[ANALYTICS] for p in partitions]
        self._consumer.assign(places)


def _live() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)
    run("writer", program.main)


if __name__ == "__main__":
    program.Writer = Alone  # type: ignore[attr-defined]
    writer.BLOCK_SECONDS = 0.1  # type: ignore[misc]
    # whoever dies is dead at once, and no zombie
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if child := os.fork():
            print(child, flush=True)
        else:
            _live()
            os._exit(0)
