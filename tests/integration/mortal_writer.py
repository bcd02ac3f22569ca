"""The writer as it is, again and again: a process that has everything imported already and forks
one for each line it reads, so that a life begins in milliseconds. Blocks are a tenth of a second,
and the group forgets the dead in one and a half (a real Kafka does not go below six)."""

import os
import signal
import sys

from aiokafka import AIOKafkaConsumer

from analytics.writer import __main__ as program
from analytics.writer import writer
from tocsin.process import run

_HASTE = {"session_timeout_ms": 1_500, "heartbeat_interval_ms": 300}


def _hasty(**options: object) -> AIOKafkaConsumer:
    patient = os.environ.get("TOCSIN_TEST_KAFKA_URL")
    return AIOKafkaConsumer(**(options if patient else options | _HASTE))


def _live() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)
    run("writer", program.main)


if __name__ == "__main__":
    program.AIOKafkaConsumer = _hasty  # type: ignore[attr-defined]
    writer.BLOCK_SECONDS = 0.1  # type: ignore[misc]
    # whoever dies is dead at once, and no zombie
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if child := os.fork():
            print(child, flush=True)
        else:
            _live()
            os._exit(0)
