"""Kafka from greenlets: librdkafka has threads of its own, and is asked for their news in turn."""

from typing import Any, Final

import gevent
from confluent_kafka import KafkaError, KafkaException, Producer
from gevent.event import AsyncResult

from loadtest.load.run_dir import Outcome
from tocsin.settings import Settings

_ASK_EVERY: Final = 0.004
_TIMEOUT_MS: Final = 15_000
_UNKNOWN: Final = {
    KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT, KafkaError._TRANSPORT,
    KafkaError.REQUEST_TIMED_OUT, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError._PURGE_INFLIGHT,
}  # fmt: skip
"""The record may be in the log all the same."""


class Records:
    """A producer with acks=all; what a delivery report says is the answer.

    Not idempotent, as the embedded broker knows no producer ids: a record whose answer is lost may
    be in the log twice, which the router's ids take care of.
    """

    def __init__(self, settings: Settings) -> None:
        self._producer: Producer | None = None
        self._config = {
            "bootstrap.servers": ",".join(settings.kafka_servers()),
            "acks": "all",
            "linger.ms": 2,
            "message.timeout.ms": _TIMEOUT_MS,
            "message.max.bytes": 4_000_000,
            "log_level": 2,
        }
        self._waiting = 0

    def send(self, topic: str, partition: int, value: bytes) -> tuple[Outcome, str]:
        """(outcome, Kafka's word where it was not taken); waits without holding up the others."""
        answer: AsyncResult = AsyncResult()
        self._waiting += 1
        try:
            self._started().produce(
                topic, value, partition=partition, on_delivery=lambda error, _: answer.set(error)
            )
            error = answer.get(timeout=2 * _TIMEOUT_MS / 1000)
        except BufferError:
            return "refused", "queue_full"
        except KafkaException as failure:
            error = failure.args[0]
        except gevent.Timeout:
            return "unknown", "no_report"
        finally:
            self._waiting -= 1
        return _outcome(error)

    def _started(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(self._config)
            gevent.spawn(self._ask)
        return self._producer

    def _ask(self) -> None:
        assert self._producer
        while True:
            self._producer.poll(0)
            gevent.sleep(_ASK_EVERY if self._waiting else 5 * _ASK_EVERY)


def _outcome(error: Any) -> tuple[Outcome, str]:
    if error is None:
        return "accepted", ""
    return ("unknown" if error.code() in _UNKNOWN else "refused"), str(error.name()).lower()
