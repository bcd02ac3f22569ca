"""The ledger: nothing twice, nothing said before it is written, and patience with the store."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from actors.ledger import Ledger, patiently
from tocsin.errors import StoreEmptied
from tocsin.records import State
from tocsin.store import SendResult
from tocsin.store.claims import Claim, Standing


class FakeClaims:
    """Claims in a dict; `standing` is what a fresh name gets, `down` how many calls fail first."""

    def __init__(self) -> None:
        self.standing = Standing.FRESH
        self.settled: dict[str, SendResult] = {}
        self.batches: list[int] = []
        self.down = 0
        self.taken = 0

    async def take(self, deliveries: Sequence[tuple[str, int]], off: object = None) -> list[Claim]:
        await self._answer()
        self.taken += len(deliveries)
        return [
            Claim(Standing.ENDED, self.settled[name]) if name in self.settled
            else Claim(self.standing)
            for name, _ in deliveries
        ]  # fmt: skip

    async def settle(self, results: Sequence[tuple[SendResult, int]]) -> None:
        await self._answer()
        self.batches.append(len(results))
        self.settled |= {result.delivery_id: result for result, _ in results}

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            self.down -= 1
            raise RedisConnectionError("away")


def done(name: str) -> SendResult:
    return SendResult(name, State.DELIVERED, "", "fake", "1")


@pytest.fixture
def claims() -> FakeClaims:
    return FakeClaims()


@pytest.fixture
async def ledger(claims: FakeClaims) -> AsyncIterator[Ledger]:
    made = Ledger(claims, flush_seconds=0.001)  # type: ignore[arg-type]
    made.start()
    yield made
    await made.close()


async def test_a_result_is_a_result_only_once_it_is_written(
    ledger: Ledger, claims: FakeClaims
) -> None:
    (future,), todo = await ledger.open([("a", 1)])
    assert todo == [(0, False)]
    ledger.settle(done("a"), 1)
    assert not future.done()
    assert await future == done("a")
    assert claims.settled["a"] == done("a")


async def test_many_results_are_written_together(ledger: Ledger, claims: FakeClaims) -> None:
    names = [str(i) for i in range(120)]
    futures, _ = await ledger.open([(name, 1) for name in names])
    for name in names:
        ledger.settle(done(name), 1)
    await asyncio.wait(futures)
    assert sum(claims.batches) == 120
    assert len(claims.batches) <= 3


async def test_what_is_at_work_here_is_awaited_not_sent_again(
    ledger: Ledger, claims: FakeClaims
) -> None:
    (first,), _ = await ledger.open([("a", 1)])
    (again, other), todo = await ledger.open([("a", 1), ("b", 1)])
    assert again is first
    assert todo == [(1, False)]
    assert claims.taken == 2
    for name in "ab":
        ledger.settle(done(name), 1)
    assert await again == done("a")
    assert await other == done("b")


async def test_twice_in_one_batch_is_once(ledger: Ledger) -> None:
    futures, todo = await ledger.open([("a", 1), ("a", 1)])
    assert todo == [(0, False)]
    ledger.settle(done("a"), 1)
    assert [await f for f in futures] == [done("a")] * 2


async def test_what_ended_before_is_said_again(ledger: Ledger, claims: FakeClaims) -> None:
    claims.settled["a"] = done("a")
    (future,), todo = await ledger.open([("a", 2)])
    assert not todo
    assert await future == done("a")


async def test_what_another_is_at_work_on_comes_again_later(
    ledger: Ledger, claims: FakeClaims
) -> None:
    claims.standing = Standing.BUSY
    (future,), todo = await ledger.open([("a", 1)])
    assert not todo
    assert (await future).state is State.RETRY
    assert not claims.settled


async def test_an_own_claim_is_ambiguous_only_if_a_send_had_begun(
    ledger: Ledger, claims: FakeClaims
) -> None:
    claims.standing = Standing.OWN
    _, todo = await ledger.open([("a", 1)])
    assert todo == [(0, False)]
    ledger.begin("a")
    ledger.abandon(["a"])
    _, todo = await ledger.open([("a", 1)])
    assert todo == [(0, True)]
    ledger.settle(done("a"), 1)


async def test_abandoned_work_leaves_nobody_waiting(ledger: Ledger) -> None:
    (future,), _ = await ledger.open([("a", 1)])
    ledger.abandon(["a"])
    assert (await future).reason == "interrupted"


async def test_it_waits_for_the_store_and_loses_nothing(
    ledger: Ledger, claims: FakeClaims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.ledger._PAUSES", (0.001,))
    claims.down = 3
    (future,), _ = await ledger.open([("a", 1)])
    claims.down = 3
    ledger.settle(done("a"), 1)
    assert await future == done("a")


async def test_an_outage_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("actors.ledger._PAUSES", (0.001,))
    left = [1, 2, 3, 4, 5]

    async def call() -> str:
        if left.pop() > 1:
            raise RedisConnectionError("away")
        return "here"

    assert await patiently(call) == "here"
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "the store does not answer", "the store answers again",
    ]  # fmt: skip


async def test_an_emptied_store_is_waited_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.ledger._PAUSES", (0.001,))
    left = [1, 2, 3]

    async def call() -> str:
        if left.pop() > 1:
            raise StoreEmptied
        return "rebuilt"

    assert await patiently(call) == "rebuilt"


async def test_what_is_no_outage_passes_through() -> None:
    async def call() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await patiently(call)
