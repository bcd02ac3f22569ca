"""The bench's bare loop: the fastest plain asyncio program that reads the same requests from the
same Kafka topic and makes the same provider calls. No features, Redis, ClickHouse or commits.

`python -m loadtest.bare --seconds S --max N` reads `notification.requests` from its start, each
request having one channel, and prints JSON: {sent, failed, seconds, per_second,
cpu_seconds_per_1000, by_channel}. It ends after S seconds, N requests, or at the end of the topic
as it was at the start.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter, deque
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from aiosmtplib import SMTP, SMTPException
from pyreqwest.exceptions import PyreqwestError

from loadtest.bare_calls import Calls
from tocsin import settings as settings_module
from tocsin.errors import ConfigError, EngineUnavailable, Invalid, SendError
from tocsin.records import Channel, NotificationRequest, split_requests
from tocsin.settings import Settings
from tocsin.topics import REQUESTS

_RECORDS = 8


class Feed:
    """Requests in topic order, fetched when a worker finds none; one worker fetches for all."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        self._consumer, self._ends = consumer, ends
        self._lock = asyncio.Lock()
        self._positions = dict.fromkeys(ends, 0)
        self.ready: deque[NotificationRequest] = deque()

    @classmethod
    async def open(cls, settings: Settings) -> "Feed":
        """From the first offset to what is the last one now. Raises `EngineUnavailable`."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_servers(), fetch_max_wait_ms=50,
            enable_auto_commit=False, group_id=None, auto_offset_reset="earliest",
        )  # fmt: skip
        try:
            await consumer.start()
        except KafkaConnectionError:
            await consumer.stop()
            raise EngineUnavailable("Kafka", settings.kafka_url, "start it") from None
        places = [TopicPartition(REQUESTS.name, p) for p in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        feed = cls(consumer, await consumer.end_offsets(places))
        feed._positions = await consumer.beginning_offsets(places)
        return feed

    async def more(self) -> bool:
        """Fill `ready`; False at the end of the topic."""
        async with self._lock:
            while not self.ready:
                if all(self._positions[place] >= end for place, end in self._ends.items()):
                    return False
                found = await self._consumer.getmany(timeout_ms=500, max_records=_RECORDS)
                for place, records in found.items():
                    self._positions[place] = records[-1].offset + 1
                    for record in records:
                        self.ready.extend(_callable(record.value))
        return True

    async def close(self) -> None:
        """Leave the broker."""
        await self._consumer.stop()


def _callable(value: bytes) -> list[NotificationRequest]:
    """The requests that make one provider call; a bench's topic holds no others."""
    try:
        found = split_requests(value)
    except Invalid:
        return []
    return [r for r in found if not isinstance(r, Invalid) and _makes_one_call(r)]


def _makes_one_call(request: NotificationRequest) -> bool:
    return len(request.channels) == 1 and request.channels[0] is not Channel.INAPP


class Loop:
    """Workers that each take a request, make its call, and take the next."""

    def __init__(self, feed: Feed, calls: Calls, seconds: float, most: int) -> None:
        self._feed, self._calls = feed, calls
        self._left, self._seconds = most, seconds
        self._end = 0.0
        self.sent: Counter[str] = Counter()
        self.failed = 0

    async def run(self, workers: int) -> dict[str, Any]:
        """The report."""
        lines = [await self._calls.connect_smtp() for _ in range(workers)]
        if not await self._feed.more():
            return self._report(0.0, 0.0)
        cpu, start = _cpu(), time.monotonic()
        self._end = start + self._seconds
        await asyncio.gather(*(self._work(line) for line in lines))
        report = self._report(time.monotonic() - start, _cpu() - cpu)
        for line in lines:
            line.close()
        return report

    async def _work(self, smtp: SMTP) -> None:
        ready = self._feed.ready
        while self._left > 0 and time.monotonic() < self._end:
            if not ready:
                if not await self._feed.more():
                    return
                continue
            self._left -= 1
            await self._one(ready.popleft(), smtp)

    async def _one(self, request: NotificationRequest, smtp: SMTP) -> None:
        try:
            taken = await self._calls.send(request, smtp)
        except (SendError, PyreqwestError, SMTPException):
            taken = False
        if taken:
            self.sent[request.channels[0].value] += 1
        else:
            self.failed += 1

    def _report(self, seconds: float, cpu: float) -> dict[str, Any]:
        sent = self.sent.total()
        return {
            "sent": sent,
            "failed": self.failed,
            "seconds": round(seconds, 3),
            "per_second": round(sent / seconds, 1) if sent else 0.0,
            "cpu_seconds_per_1000": round(cpu / sent * 1000, 4) if sent else 0.0,
            "by_channel": dict(self.sent),
        }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    """Run, and return the report."""
    calls = Calls(settings)
    await calls.log_in()
    feed = await Feed.open(settings)
    try:
        return await Loop(feed, calls, options.seconds, options.max).run(options.workers)
    finally:
        await feed.close()
        await calls.close()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m loadtest.bare", description=__doc__)
    made.add_argument("--seconds", type=float, default=20, help="at most this long")
    made.add_argument("--max", type=int, default=10_000_000, help="at most this many requests")
    made.add_argument("--workers", type=int, default=128, help="calls at once")
    return made


if __name__ == "__main__":
    try:
        print(json.dumps(uvloop.run(main(settings_module.load(), parser().parse_args()))))
    except (ConfigError, EngineUnavailable) as error:
        sys.exit(f"bare: {error}")
