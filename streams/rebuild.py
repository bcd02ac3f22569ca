"""`tocsin rebuild`: Redis restored from the log, which is the truth.

Safe on a running system and as often as one likes: nothing older replaces anything newer. Until it
is through, an emptied store is not believed in what it misses: consumers and senders wait, the API
answers 503.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Annotated, Final

import typer
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams.restore import Work, cancellations, profiles, schedule, subscriptions, templates
from streams.restore_stock import stock
from streams.tally import Say, Tally
from tocsin import settings as settings_module
from tocsin.errors import TocsinError
from tocsin.ids import new_id
from tocsin.kafka import ensure_topics
from tocsin.log import Log
from tocsin.settings import Settings
from tocsin.store import View, connect
from tocsin.store.view import LEASE_SECONDS
from tocsin.topics import (
    CANCELLATIONS,
    INVENTORY,
    PROFILES,
    SCHEDULE,
    SUBSCRIPTIONS,
    TEMPLATES,
    Topic,
)

Restore = Callable[[Work], Awaitable[None]]

VIEWS: Final[tuple[tuple[Topic, Restore], ...]] = (
    (CANCELLATIONS, cancellations),
    (TEMPLATES, templates),
    (PROFILES, profiles),
    (SUBSCRIPTIONS, subscriptions),
    (INVENTORY, stock),
    (SCHEDULE, schedule),
)
"""What the store holds of which topic, in the order of restoring. A further view is a line here;
for a compacted topic its function is one call of `Work.newest`."""


async def rebuild(settings: Settings, redis: Redis, say: Say = print) -> list[Tally]:
    """Restore every view, then mark the store as whole; what was done, by topic.

    Waits while another rebuild is at work. Raises `StoreEmptied` if the store is emptied meanwhile.
    """
    async with AsyncExitStack() as stack:
        token = await stack.enter_async_context(_lease(View(redis), say))
        works = []
        for topic, restore in VIEWS:
            log = await stack.enter_async_context(Log(settings, topic))
            work = Work(settings, redis, token, log, Tally(topic.name, say))
            await restore(work)
            works.append((topic, restore, work))
        # what was on its way into the log when the store was emptied has come by now
        for topic, restore, work in works:
            if topic.compacted:
                await restore(work)
        await View(redis).finish(token)
    return [work.tally for _, _, work in works]


@asynccontextmanager
async def _lease(view: View, say: Say) -> AsyncIterator[str]:
    """The lease of the only rebuild at work, kept until the end; its token."""
    token, told = new_id(), False
    while not await view.begin(token):
        if not told:
            say("another rebuild is at work; waiting for its end")
        told = True
        await asyncio.sleep(0.5)
    keeping = asyncio.create_task(_keep(view, token))
    try:
        yield token
    finally:
        keeping.cancel()
        with suppress(RedisError):
            await view.give_up(token)


async def _keep(view: View, token: str) -> None:
    """Ends when the lease is lost: whoever restores is told so by the store itself."""
    with suppress(TocsinError):
        while True:
            await asyncio.sleep(LEASE_SECONDS / 6)
            with suppress(RedisError):
                await view.keep(token)


async def run(settings: Settings, if_empty: bool, say: Say = print) -> None:
    """The command: `rebuild` unless there is no need, and a last line that says what was done."""
    began = time.monotonic()
    redis = await connect(settings)
    try:
        await ensure_topics(settings)
        if if_empty and await View(redis).is_whole():
            say("tocsin rebuild: the store holds its view of the log; nothing to do")
            return
        tallies = await rebuild(settings, redis, say)
    finally:
        await redis.aclose()
    for tally in tallies:
        say(str(tally))
    bad = sum(tally.bad for tally in tallies)
    skipped = f"; {bad:,} records could not be read and were skipped" if bad else ""
    say(f"tocsin rebuild: the view is whole again, after {time.monotonic() - began:.1f} s{skipped}")


app = typer.Typer(name="tocsin rebuild", add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    if_empty: Annotated[
        bool,
        typer.Option(
            "--if-empty",
            help="Only where the store was emptied or is new: what every start of the system runs",
        ),
    ] = False,
) -> None:
    """Restore Redis from the log, on a running system too. Exit code 1 if it could not be done."""
    try:
        asyncio.run(run(settings_module.load(), if_empty, partial(print, flush=True)))
    except (TocsinError, KafkaError, RedisError, OSError) as error:
        sys.exit(f"tocsin rebuild: {error}")


if __name__ == "__main__":
    app()
