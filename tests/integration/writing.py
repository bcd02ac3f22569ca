"""Records for the writer's tests, and what of them has arrived in ClickHouse."""

import asyncio
import subprocess
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver import AsyncClient

from tests.integration.clickhouse import start
from tests.integration.conftest import wait_until
from tocsin.kafka import start_producer
from tocsin.process import ready_file
from tocsin.records import NotificationRequest, Outcome, OutcomeBatch, State, encode
from tocsin.settings import Settings

AT = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=1)


@dataclass
class Traffic:
    """Notifications of one test, told from other tests' by their type; each has one delivery."""

    settings: Settings
    kind: str = field(default_factory=lambda: "T" + uuid.uuid4().hex[:12].upper())
    sent: int = 0

    async def send(self, count: int) -> None:
        """Requests one by one, and their outcomes in batches, over every partition; durable."""
        numbers = range(self.sent, self.sent + count)
        values = [*self._requests(numbers), *self._outcomes(numbers)]
        await produce(self.settings, values)
        self.sent += count

    def _requests(self, numbers: Iterable[int]) -> list[tuple[str, int, bytes]]:
        return [
            ("notification.requests", n % self.settings.partitions, encode(self._request(n)))
            for n in numbers
        ]

    def _request(self, n: int) -> NotificationRequest:
        return NotificationRequest(f"{self.kind}-{n}", "u", self.kind, accepted_at=AT)

    def _outcomes(self, numbers: range) -> list[tuple[str, int, bytes]]:
        batches = [numbers[i : i + 25] for i in range(0, len(numbers), 25)]
        return [
            ("delivery.outcomes", i % self.settings.partitions, encode(self._batch(batch)))
            for i, batch in enumerate(batches)
        ]

    def _batch(self, numbers: Sequence[int]) -> OutcomeBatch:
        states = State.ACCEPTED, State.DELIVERED
        return OutcomeBatch([self._outcome(n, state) for n in numbers for state in states])

    def _outcome(self, n: int, state: State) -> Outcome:
        name = f"{self.kind}-{n}"
        return Outcome(f"{name}:push", name, "u", "push", self.kind, state, 1, AT, AT)

    async def rows(self, client: AsyncClient) -> tuple[int, int, int]:
        """Rows as they lie there, duplicates and all: requests, accepted, deliveries."""
        result = await client.query(
            "SELECT (SELECT count() FROM tocsin.requests WHERE type = {t:String}),"
            " (SELECT count() FROM tocsin.accepted WHERE type = {t:String}),"
            " (SELECT count() FROM tocsin.deliveries WHERE type = {t:String})",
            {"t": self.kind},
        )
        requests, accepted, deliveries = result.result_rows[0]
        return int(requests), int(accepted), int(deliveries)

    async def arrive(self, client: AsyncClient, seconds: float = 60) -> None:
        """Return when everything sent is there at least once."""
        async with asyncio.timeout(seconds):
            while min(await self.rows(client)) < self.sent:
                await asyncio.sleep(0.1)


async def produce(settings: Settings, values: Iterable[tuple[str, int, bytes]]) -> None:
    """(topic, partition, value), durable when it returns."""
    producer = await start_producer(settings)
    try:
        futures = [await producer.send(t, value, partition=p) for t, p, value in values]
        await asyncio.gather(*futures)
    finally:
        await producer.stop()


def start_writer(settings: Settings) -> "subprocess.Popen[str]":
    """A writer process; returns when it is ready (or has ended). One that takes over from a killed
    one waits until the broker has noticed that."""
    ready = ready_file(settings.data_dir, "writer")
    ready.unlink(missing_ok=True)
    process = start("analytics.writer", settings)
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None, 150)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process
