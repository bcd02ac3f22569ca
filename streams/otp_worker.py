"""The OTP worker process: its own consumer group, fetches and actor, so that no backlog of
anything else can stand in front of a log-in."""

import asyncio

from actors.pool import Pools
from streams.app import make_app
from streams.bury import Bury
from streams.consume import Consume
from streams.send_otp import SendOtp
from streams.serve import serve
from tocsin.clock import SystemClock
from tocsin.groups import STREAMS_OTP
from tocsin.kafka import start_producer
from tocsin.process import run
from tocsin.settings import Settings
from tocsin.topics import OTP


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Consume until told to stop; then finish what was taken."""
    producer = await start_producer(settings, linger_ms=0)
    pools = await Pools.connect(settings)
    # the first call of an actor costs 0.3 s: nobody's log-in shall be the first
    await pools.send_otp([])
    bury = Bury(producer)
    work = SendOtp(producer, pools, bury, SystemClock())
    try:
        consumer = Consume(OTP, work, bury, within=0, depth=64)
        await serve(settings, "streams-otp", make_app(settings, STREAMS_OTP), [consumer], stop)
    finally:
        await producer.stop()


if __name__ == "__main__":
    run("streams-otp", main)
