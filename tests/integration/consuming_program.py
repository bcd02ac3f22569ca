"""A consumer to be killed: appends every request id it sees to a Redis list, slowly enough to die
in the middle. `python -m tests.integration.consuming_program` with TOCSIN_* set."""

import asyncio
from collections.abc import Sequence

from streams.app import make_app
from streams.bury import Bury
from streams.consume import Consume, Record
from streams.serve import serve
from tocsin.errors import Invalid
from tocsin.kafka import start_producer
from tocsin.process import run
from tocsin.settings import Settings
from tocsin.store import connect
from tocsin.topics import RETRY_LONG


async def main(settings: Settings, stop: asyncio.Event) -> None:
    producer = await start_producer(settings)
    redis = await connect(settings)

    async def work(records: Sequence[Record]) -> None:
        for record in records:
            if record.value.startswith(b"poison"):
                raise Invalid("", "poison")
            if record.value.startswith(b"bug"):
                raise ZeroDivisionError
        await asyncio.sleep(0.03)
        await redis.rpush("effects", *(record.value for record in records))

    consume = Consume(RETRY_LONG, work, Bury(producer), most=20)
    await serve(settings, "program", make_app(settings, "test-consume"), [consume], stop)


if __name__ == "__main__":
    run("program", main)
