"""A worker that can be brought to a stop; each record says whose (TOCSIN_PROCESS_NAME) and how.
Its parts may stand still for seconds only. `python -m tests.integration.stuck_program`."""

import asyncio
import time
from collections.abc import Sequence

from streams.app import make_app
from streams.bury import Bury
from streams.consume import Consume, Record
from streams.serve import serve
from tocsin.kafka import start_producer
from tocsin.observability import progress
from tocsin.process import run
from tocsin.settings import Settings
from tocsin.topics import RETRY_LONG

PATIENCE = 2.0


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """`block`: the loop. `hang PORT`: ask who takes the question and never answers."""
    me = settings.process_name

    async def work(records: Sequence[Record]) -> None:
        for record in records:
            name, what, port = record.value.decode().split()
            if (name, what) == (me, "block"):
                time.sleep(120)  # noqa: ASYNC251  that is the point
            elif (name, what) == (me, "hang"):
                reader, _ = await asyncio.open_connection("127.0.0.1", int(port))
                await reader.read()

    producer = await start_producer(settings)
    consume = Consume(RETRY_LONG, work, Bury(producer), patience=PATIENCE)
    await serve(settings, "program", make_app(settings, f"test-{me}"), [consume], stop)


if __name__ == "__main__":
    progress.LOOP_SECONDS = PATIENCE  # type: ignore[misc]
    run("program", main)
