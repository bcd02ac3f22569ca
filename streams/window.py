"""The requests of a stretch of the log, brought into the order in which they were accepted."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from streams.consume import instant
from streams.tally import Say, Tally
from tocsin.errors import Invalid
from tocsin.log import Log
from tocsin.records import NotificationRequest, decode_internal, encode, split_requests
from tocsin.settings import Settings
from tocsin.topics import REQUESTS_BY_LANE

SKEW: Final = timedelta(minutes=10)
"""How far the clocks of hosts may be apart: so much earlier reading begins."""

_SQL: Final = Path(__file__).parent / "sql"
_PUT: Final = (_SQL / "window_put.sql").read_text()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Logged(NamedTuple):
    """A request, when it was accepted, and when it stood in the log for the router to see: for one
    of a broadcast with `send_at` that is much later."""

    request: NotificationRequest
    accepted_at: datetime
    seen_at: datetime


class Counts(NamedTuple):
    """`repeated` requests came with an id from elsewhere in the log; `unreadable` ones are dead
    letters whatever the rules are."""

    records: int
    requests: int
    repeated: int
    unreadable: int


class Window:
    """Those accepted in [since, until), each id once, from all lanes and partitions.

    Sorted in a temporary file without a name, with at most 64 MB of it in memory, whatever the
    window's length. A context manager: the file is gone afterwards.
    """

    def __init__(self, since: datetime, until: datetime) -> None:
        self._since, self._until = since, until
        self._records = self._put = self._unreadable = 0
        self._scratch = sqlite3.connect("")

    def __enter__(self) -> Self:
        self._scratch.executescript((_SQL / "window_make.sql").read_text())
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.close()

    async def fill(self, settings: Settings, say: Say) -> None:
        """Read the three topics to their end. Raises `KafkaError` where Kafka does not answer."""
        for topic in REQUESTS_BY_LANE.values():
            tally = Tally(topic.name, say)
            async with Log(settings, topic) as log:
                await log.begin_at(self._since - SKEW)
                for partition in log.partitions:
                    async for records in log.read(partition):
                        self.take(records, tally)

    def take(self, records: Sequence[Any], tally: Tally) -> None:
        """Keep what of some Kafka records lies in the window."""
        tally.saw(len(records))
        self._records += len(records)
        rows = [row for record in records for row in self._rows(record, tally)]
        self._put += len(rows)
        self._scratch.executemany(_PUT, rows)

    def _rows(self, record: Any, tally: Tally) -> Iterator[tuple[str, int, int, bytes]]:
        stamped = instant(record.timestamp / 1000)
        try:
            found = split_requests(record.value or b"")
        except Invalid as error:
            found = [error]
        for request in found:
            if isinstance(request, NotificationRequest):
                at = request.accepted_at or stamped
                if self._since <= at < self._until:
                    seen = max(at, stamped)
                    yield request.notification_id, _number(at), _number(seen), encode(request)
            elif self._since <= stamped < self._until:
                self._unreadable += 1
                tally.skip(record, request)

    def batches(self, size: int) -> Iterator[list[Logged]]:
        """The requests in the order in which they were accepted, `size` at a time."""
        rows = self._scratch.execute((_SQL / "window_get.sql").read_text())
        while some := rows.fetchmany(size):
            yield [
                Logged(decode_internal(NotificationRequest, request), _time(at), _time(seen))
                for at, seen, request in some
            ]

    @property
    def counts(self) -> Counts:
        """What was found so far."""
        (kept,) = self._scratch.execute("SELECT count(*) FROM requests").fetchone()
        return Counts(self._records, kept, self._put - kept, self._unreadable)


def _number(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _time(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
