"""One replay from file to report: puts the parts together and says how it went."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from pyreqwest.client import Client, ClientBuilder
from rich.console import Console

from loadtest.replay.bodies import Bodies
from loadtest.replay.calls import PATIENCE, Api, ServiceToken
from loadtest.replay.drive import Driver
from loadtest.replay.logins import Logins
from loadtest.replay.pace import Pace
from loadtest.replay.phones import Phones
from loadtest.replay.sales import Sales
from loadtest.replay.screen import Screen, show_bad_rows, show_refusals, summary
from loadtest.replay.shop import timeline
from loadtest.replay.shoppers import Shoppers
from loadtest.replay.stockroom import Stockroom
from loadtest.replay.tally import Tally
from tocsin.errors import EngineUnavailable, Invalid
from tocsin.kafka import start_producer
from tocsin.process import ready
from tocsin.settings import Settings


class Options(msgspec.Struct, frozen=True):
    """`speed` is times the file's own pace, 0 at once; `run` names the edition; `api` is a URL,
    empty for the settings' public one; `patience` is in seconds a call."""

    speed: float = 0
    initial_stock: int = 50
    run: str = ""
    api: str = ""
    patience: float = PATIENCE


class Job:
    """The replay of one file. Without `main` it is a dry run."""

    def __init__(self, sales: Sales, options: Options, console: Console) -> None:
        self._sales, self._options, self._console = sales, options, console
        self._whole = Tally.of(timeline(sales.rows, options.initial_stock))
        self._done, self._rows, self._seconds = self._whole, len(sales.rows), 0.0
        self._refused: list[str] = []
        self._title = "This file comes to"
        show_bad_rows(console, sales.bad)

    async def main(self, settings: Settings, stop: asyncio.Event) -> None:
        """Replay into the system that `settings` point at, until done or `stop`."""
        self._done, self._rows, began = Tally(), 0, time.monotonic()
        # what it has to say of a broker that is away is said below in one line
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        try:
            await self._replay(settings, stop)
        except EngineUnavailable:
            if not stop.is_set():
                raise
        finally:
            self._seconds = time.monotonic() - began
            self._title = self._outcome()

    async def _replay(self, settings: Settings, stop: asyncio.Event) -> None:
        producer = await start_producer(settings)
        try:
            async with ClientBuilder().build() as client:
                shoppers = Shoppers(settings)
                driver = self._driver(settings, client, producer, shoppers, stop)
                with Screen(self._console, self._whole, len(self._sales.rows)) as screen:
                    driver.seen = lambda: screen.show(driver.tally, driver.rows)
                    ready(settings, "replay", rows=len(self._sales.rows))
                    try:
                        await self._drive(driver, stop)
                    finally:
                        await shoppers.leave()
        finally:
            await producer.stop()

    def _driver(
        self,
        settings: Settings,
        client: Client,
        producer: AIOKafkaProducer,
        shoppers: Shoppers,
        stop: asyncio.Event,
    ) -> Driver:
        url = self._options.api or settings.public_url
        api = Api(client, url, ServiceToken(settings), stop, self._options.patience)
        sandbox = settings.sandbox_url
        phones = Phones(client, sandbox, stop) if sandbox else None
        stockroom = Stockroom(producer, settings.kafka_url)
        edition = f"{self._sales.digest}:{self._options.initial_stock}:{self._options.run}"
        bodies = Bodies(edition, time.time())
        return Driver(api, stockroom, Logins(api, phones, stop), bodies, shoppers)

    async def _drive(self, driver: Driver, stop: asyncio.Event) -> None:
        events = timeline(self._sales.rows, self._options.initial_stock)
        try:
            await driver.run(events, Pace(self._options.speed), stop)
        finally:
            self._done, self._rows, self._refused = driver.tally, driver.rows, driver.refused
            driver.seen()

    @property
    def report(self) -> dict[str, Any]:
        """What was done, as `--report` has it; of a dry run, what would be."""
        return self._done.report(self._rows, len(self._sales.bad), self._seconds)

    @property
    def exit_code(self) -> int:
        """1 when the system refused anything."""
        return 1 if self._refused else 0

    def end(self, path: Path | None) -> None:
        """Show the table, unless nothing was sent of something, and write the report.

        Raises `Invalid` when it cannot be written.
        """
        if self._done.counts or not self._sales.rows:
            show_refusals(self._console, self._refused)
            self._console.print(summary(self.report, self._title))
        if path:
            _write(path, self.report)

    def _outcome(self) -> str:
        return (
            "Replayed" if self._rows == len(self._sales.rows) else f"Stopped at row {self._rows:,}"
        )


def _write(path: Path, report: dict[str, Any]) -> None:
    fresh = path.with_name(path.name + ".tmp")
    try:
        fresh.write_text(json.dumps(report, indent=2) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise Invalid(str(path), f"cannot be written: {error.strerror or error}") from None
