"""A caller of the pools as a stream worker is, told what to do by lines on its standard input.

``python -m tests.integration.pool_program``; each line is answered with one line of JSON:
``deliver USERS FIRST LAST`` with {state: count}, ``broadcast AUDIENCE`` with how many got it.
"""

import asyncio
import json
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import uvloop

from actors.pool import Pools
from tocsin import settings
from tocsin.records import Channel, Delivery
from tocsin.store import SendResult, connect
from tocsin.store.registry import living

_AT_ONCE: Final = 4


def notification_id(user: str, number: int) -> str:
    """Of the `number`th for a person."""
    return f"{user}-{number}"


def _delivery(user: str, number: int) -> Delivery:
    return Delivery(
        notification_id=notification_id(user, number),
        user_id=user,
        channel=Channel.INAPP,
        type="SALE_OFFER",
        category="promotional",
        template_id="SALE_OFFER",
        data={"body": f"Half price, {number}."},
        accepted_at=datetime.now(UTC),
    )


async def _deliver(pools: Pools, users: list[str], first: int, last: int) -> dict[str, int]:
    """One for each person in each round; two partitions, several batches of each at once."""
    states: Counter[str] = Counter()

    async def worker(partition: int, rounds: Any) -> None:
        for number in rounds:
            batch = [_delivery(user, number) for user in users[partition::2]]
            results: list[SendResult] = await pools.send(Channel.INAPP, partition, batch)
            states.update(str(result.state) for result in results)

    turns = [iter(range(first, last + 1)) for _ in range(2)]
    await asyncio.gather(*(worker(p, turns[p]) for p in range(2) for _ in range(_AT_ONCE)))
    return dict(states)


async def main() -> None:
    """Until the input ends."""
    made = settings.load()
    redis = await connect(made)
    pools = await Pools.connect(made, lambda: living(redis))
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, *args = line.split()
        if command == "deliver":
            users, first, last = args
            answer: Any = await _deliver(pools, users.split(","), int(first), int(last))
        else:
            answer = await pools.broadcast(args[0], b'{"op":"live"}')
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
