"""A caller of the pools as the stream workers are: sends until every delivery has ended.

Run by test_actors_ray.py: ``python -m tests.integration.sending_program BATCHES SIZE``. Prints the
final results, a JSON list[SendResult]; `ambiguous` stays set once any attempt was.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import uvloop
from msgspec.structs import replace

from actors.pool import Pools
from tocsin import settings
from tocsin.records import Channel, Delivery, Priority, State, encode
from tocsin.store import SendResult

USERS: Final = 50
_ATTEMPTS: Final = 8


def delivery(batch: int, number: int) -> Delivery:
    """Every other one promotional."""
    promotional = number % 2 == 1
    return Delivery(
        notification_id=f"n{batch}-{number}",
        user_id=f"u{number % USERS}",
        channel=Channel.PUSH,
        type="SALE_OFFER" if promotional else "ORDER_CONFIRMATION",
        category="promotional" if promotional else "transactional",
        template_id="SALE_OFFER" if promotional else "ORDER_CONFIRMATION",
        data={"body": "Half price."}
        if promotional
        else {"order": "1", "total": "1.00", "currency": "GBP"},
        accepted_at=datetime.now(UTC),
        priority=Priority.LOW if promotional else Priority.HIGH,
    )


async def ended(pools: Pools, partition: int, batch: Sequence[Delivery]) -> list[SendResult]:
    """Send, and send again what is to be retried, as the retry topics would."""
    final: dict[str, SendResult] = {}
    ambiguous: set[str] = set()
    left = list(batch)
    for attempt in range(1, _ATTEMPTS + 1):
        left = [replace(d, attempt=attempt) for d in left]
        results = await pools.send(Channel.PUSH, partition, left)
        ambiguous |= {r.delivery_id for r in results if r.ambiguous}
        final |= {r.delivery_id: replace(r, ambiguous=r.delivery_id in ambiguous) for r in results}
        left = [d for d in left if final[d.delivery_id].state is State.RETRY]
        if not left:
            break
        await asyncio.sleep(max(final[d.delivery_id].retry_after or 0.5 for d in left))
    return [final[d.delivery_id] for d in batch]


async def main(batches: int, size: int) -> None:
    """Four batches at once, as four partitions would."""
    pools = await Pools.connect(settings.load())
    work = iter(range(batches))
    results: list[SendResult] = []

    async def partition(number: int) -> None:
        for batch in work:
            results.extend(await ended(pools, number, [delivery(batch, i) for i in range(size)]))

    await asyncio.gather(*(partition(number) for number in range(4)))
    print(encode(results).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
