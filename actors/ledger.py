"""What this process is sending, and what came of it: nothing is said before it is written down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from redis.exceptions import RedisError

from actors.decide import unrepeated
from tocsin.errors import EngineUnavailable
from tocsin.records import State
from tocsin.store import SendResult
from tocsin.store.claims import Claim, Claims, Standing

T = TypeVar("T")
log = logging.getLogger(__name__)

FLUSH_AT: Final = 50
"""So many results are written at once…"""

FLUSH_SECONDS: Final = 0.02
"""…and fewer when the first has waited so long for company."""

_NONE: Final[Mapping[str, str]] = {}
BUSY_SECONDS: Final = 5.0
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


class Ledger:
    """Claims deliveries for this process, and settles them in small batches.

    A delivery that this process is at work on already is not claimed again: whoever brings it a
    second time waits for the first one's result. While the store is away, everything here waits.
    """

    def __init__(self, claims: Claims, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._claims, self._flush_seconds = claims, flush_seconds
        self._at_work: dict[str, asyncio.Future[SendResult]] = {}
        self._begun: set[str] = set()
        self._results: list[tuple[SendResult, int]] = []
        self._wake, self._full = asyncio.Event(), asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin writing results; idempotent."""
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Wait until all that was opened is settled and written, then stop."""
        while self._at_work:
            await asyncio.wait(set(self._at_work.values()))
        if self._writer:
            self._writer.cancel()

    async def open(
        self, deliveries: Sequence[tuple[str, int]], off: Mapping[str, str] = _NONE
    ) -> tuple[list[asyncio.Future[SendResult]], list[tuple[int, bool]]]:
        """Claim (delivery_id, attempt) pairs; `off` is as of `Claims.take`.

        Returns a future result for each, and (index, ambiguous) of those the caller is to send and
        must then `settle` or `abandon`. Do not cancel the futures: others may wait for them.
        """
        loop = asyncio.get_running_loop()
        futures, mine = [], []
        for index, (delivery_id, _) in enumerate(deliveries):
            future = self._at_work.get(delivery_id)
            if future is None:
                future = self._at_work[delivery_id] = loop.create_future()
                mine.append(index)
            futures.append(future)
        try:
            claims = await patiently(lambda: self._claims.take([deliveries[i] for i in mine], off))
        except BaseException:
            self.abandon([deliveries[i][0] for i in mine])
            raise
        opened = ((i, self._opened(deliveries[i][0], c)) for i, c in zip(mine, claims, strict=True))
        return futures, [(i, ambiguous) for i, ambiguous in opened if ambiguous is not None]

    def _opened(self, delivery_id: str, claim: Claim) -> bool | None:
        """Whether sending it now is ambiguous; None when it is not to be sent."""
        match claim.standing:
            case Standing.FRESH:
                return False
            case Standing.AMBIGUOUS:
                return True
            case Standing.OWN:
                # the answer to our own claim was lost, or the thread of an earlier send was
                return delivery_id in self._begun
            case Standing.CANCELLED:
                self._conclude(SendResult(delivery_id, State.CANCELLED, "cancelled"))
                return None
            case Standing.LOST:
                # it may have arrived, and nobody wants it any more
                self._conclude(unrepeated(delivery_id))
                return None
        busy = SendResult(delivery_id, State.RETRY, "busy", retry_after=BUSY_SECONDS)
        self._conclude(claim.result or busy)
        return None

    def abandon(self, delivery_ids: Sequence[str]) -> None:
        """Give up what was opened and not settled. The claims stay: what comes next is careful."""
        for delivery_id in delivery_ids:
            if delivery_id in self._at_work:
                self._conclude(
                    SendResult(delivery_id, State.RETRY, "interrupted", retry_after=BUSY_SECONDS)
                )

    def _conclude(self, result: SendResult) -> None:
        future = self._at_work.pop(result.delivery_id, None)
        if future and not future.done():
            future.set_result(result)

    def begin(self, delivery_id: str) -> None:
        """A provider may be given this delivery from now on."""
        self._begun.add(delivery_id)

    def settle(self, result: SendResult, attempt: int) -> None:
        """Have a result written down. It is the delivery's result once that is done."""
        self._results.append((result, attempt))
        self._wake.set()
        if len(self._results) >= FLUSH_AT:
            self._full.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), self._flush_seconds)
            batch, self._results = self._results, []
            self._wake.clear()
            self._full.clear()
            await patiently(partial(self._claims.settle, batch))
            for result, _ in batch:
                self._begun.discard(result.delivery_id)
                self._conclude(result)


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """The call's answer, asked again for as long as the store is away, or was emptied and is not
    rebuilt yet. Says so once per outage."""
    tries = 0
    while True:
        try:
            answer = await call()
        except (RedisError, EngineUnavailable) as error:
            if tries == 0:
                log.warning("the store does not answer, waiting for it: %s", error)
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
        else:
            if tries:
                log.warning("the store answers again")
            return answer
