"""Sends a timeline into a running Tocsin, wave by wave, and keeps count."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final

from loadtest.replay.bodies import Bodies
from loadtest.replay.calls import Api, stopped_within
from loadtest.replay.events import Event, Login, Order, Stock
from loadtest.replay.logins import Logins
from loadtest.replay.pace import Pace
from loadtest.replay.refusals import refusals
from loadtest.replay.shoppers import Shoppers
from loadtest.replay.stockroom import Stockroom
from loadtest.replay.tally import Tally
from loadtest.replay.waves import Wave, WaveBuilder
from tocsin.errors import Refused, TocsinError

ROWS_PER_WAVE: Final = 1_000
"""At most one user, sign-up and order a row, so that each batch stays within the API's 1,000."""
_WAVES_AHEAD: Final = 4
"""How far stock may run ahead of log-ins and orders."""
_SIGN_UPS: Final = "/v1/subscriptions:batch?allow_unknown_sku=true"
"""Stock goes by Kafka and may arrive after the sign-up, even a SKU's very first."""
_KNOWN_OTHERWISE: Final = frozenset({409})
"""A customer from an earlier replay, whose data has moved on since."""


class Driver:
    """One replay. `seen` is called whenever counts have moved on."""

    def __init__(
        self,
        api: Api,
        stockroom: Stockroom,
        logins: Logins,
        bodies: Bodies,
        shoppers: Shoppers | None = None,
    ) -> None:
        self._api, self._stockroom, self._logins, self._bodies = api, stockroom, logins, bodies
        self._shoppers = shoppers
        self.seen: Callable[[], None] = lambda: None
        self._ahead = asyncio.Semaphore(_WAVES_AHEAD)
        self.tally = Tally()
        self.rows = 0
        self.refused: list[str] = []

    async def run(self, events: Iterable[Event], pace: Pace, stop: asyncio.Event) -> None:
        """Send everything, or what is due until `stop`; return when what was sent is answered.

        Raises the first `TocsinError` that ends it; `tally` then has what went before.
        """
        try:
            async with asyncio.TaskGroup() as people:
                async for wave in paced(events, pace, stop):
                    await self._ahead.acquire()
                    await self._users(wave)
                    people.create_task(self._people(wave))
                    await self._goods(wave)
                    self.rows = wave.rows
                    self.seen()
        except BaseExceptionGroup as group:
            raise _first(group) from None

    async def _users(self, wave: Wave) -> None:
        items = [self._bodies.user(event) for event in wave.registers]
        await self._batch("/v1/users:batch", items, wave.registers, fine=_KNOWN_OTHERWISE)

    async def _goods(self, wave: Wave) -> None:
        await self._stock(wave.early)
        items = [self._bodies.subscription(event) for event in wave.signups]
        await self._batch(_SIGN_UPS, items, wave.signups)
        await self._stock(wave.late)

    async def _people(self, wave: Wave) -> None:
        """Whoever buys logs in first."""
        try:
            async with asyncio.TaskGroup() as logins:
                for event in wave.logins:
                    logins.create_task(self._log_in(event))
            await self._orders(wave.orders)
        finally:
            self._ahead.release()

    async def _orders(self, orders: Sequence[Order]) -> None:
        items = [self._bodies.order(event) for event in orders]
        await self._batch("/v1/notifications:batch", items, orders)

    async def _log_in(self, event: Login) -> None:
        try:
            verified = await self._logins.log_in(event.customer)
        except Refused as error:
            self._refuse([str(error)])
        else:
            self.tally.add([event])
            self.tally.counts["verified_otps"] += verified
            if verified and self._shoppers:
                await self._shoppers.arrive(event.customer)
        self.seen()

    async def _stock(self, events: Sequence[Stock]) -> None:
        if events:
            await self._stockroom.tell([self._bodies.change(event) for event in events])
            self.tally.add(events)

    async def _batch(
        self,
        path: str,
        items: Sequence[dict[str, Any]],
        events: Sequence[Event],
        fine: frozenset[int] = frozenset(),
    ) -> None:
        """Send items in one call, and count the events whose items were taken."""
        if not items:
            return
        wrong = refusals(await self._api.post(path, items), path, len(items), fine)
        self.tally.add(event for place, event in enumerate(events) if place not in wrong)
        self._refuse([f"{path}, item {place}: {why}" for place, why in wrong.items()])
        self.seen()

    def _refuse(self, reasons: Sequence[str]) -> None:
        self.tally.counts["refused"] += len(reasons)
        self.refused.extend(reasons)


async def paced(events: Iterable[Event], pace: Pace, stop: asyncio.Event) -> AsyncIterator[Wave]:
    """Waves of what is due, as soon as it is; ends early at `stop`."""
    builder = WaveBuilder(ROWS_PER_WAVE)
    for event in events:
        early = pace.due_in(event.at, time.monotonic())
        if (early or not builder.fits(event)) and (wave := builder.take()):
            yield wave
            early = pace.due_in(event.at, time.monotonic())
        if stop.is_set() or (early and await stopped_within(stop, early)):
            return
        builder.add(event)
    if wave := builder.take():
        yield wave


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended it all; a bug among several is not hidden behind a policy error."""
    expected, bugs = group.split(TocsinError)
    if bugs or not expected:
        return group
    error: BaseException = expected
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
