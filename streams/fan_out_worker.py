"""A worker that fans broadcasts out and does nothing else, in the bulk worker's group.

The bench measures with it and a test kills it: it needs no actors. In service the bulk worker does
the same beside its other work.
"""

import asyncio

from streams import fan_out
from streams.app import BULK_FETCH_WAIT_MS, make_app
from streams.bury import Bury
from streams.mind import make_mind
from streams.serve import serve
from tocsin.groups import STREAMS
from tocsin.kafka import start_producer
from tocsin.process import run
from tocsin.settings import Settings
from tocsin.store import connect


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Consume until told to stop; then finish what was taken."""
    producer = await start_producer(settings)
    redis = await connect(settings)
    try:
        mind = await make_mind(settings, redis)
        found = fan_out.consumers(settings, producer, redis, Bury(producer), mind)
        app = make_app(settings, STREAMS, BULK_FETCH_WAIT_MS)
        await serve(settings, "streams-fan-out", app, found, stop)
    finally:
        await producer.stop()
        await redis.aclose()


if __name__ == "__main__":
    run("streams-fan-out", main)
