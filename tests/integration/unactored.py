"""A stream worker whose actors are in its own process, for tests that need no Ray but all the rest:
`python -m tests.integration.unactored bulk|otp` with TOCSIN_* set."""

import sys
from collections.abc import Sequence
from typing import Final
from unittest.mock import patch

import msgspec

from actors.otp_lane import OtpLane
from actors.sender import Sender
from actors.shard import ConnectionShard
from streams import otp_worker, worker
from tocsin.process import run
from tocsin.records import Channel, Delivery, DeliveryBatch, OtpChallenge, encode
from tocsin.settings import Settings
from tocsin.store import SendResult

_PROGRAMS: Final = {"bulk": worker, "otp": otp_worker}
_decode = msgspec.json.Decoder(list[SendResult]).decode


class Pools:
    """Stands for actors.pool.Pools: the same classes, called without an edge between."""

    def __init__(self, settings: Settings) -> None:
        channels = (Channel.PUSH, Channel.SMS, Channel.EMAIL)
        self._senders = {name: Sender(settings, name, f"sender-{name}-0") for name in channels}
        self._shard = ConnectionShard(settings, "shard-0")
        self._lane = OtpLane(settings)

    @classmethod
    async def connect(cls, settings: Settings, living: object = None) -> "Pools":
        return cls(settings)

    def actor(self, channel: Channel, partition: int) -> int:
        del channel, partition
        return 0

    async def send(
        self, channel: Channel, partition: int, deliveries: Sequence[Delivery]
    ) -> list[SendResult]:
        batch = encode(DeliveryBatch(list(deliveries)))
        if channel is Channel.INAPP:
            return _decode(await self._shard.deliver(batch))
        return _decode(await self._senders[channel].send(batch))

    async def send_otp(self, challenges: Sequence[OtpChallenge]) -> list[SendResult]:
        return _decode(await self._lane.send(encode(list(challenges))))

    async def broadcast(self, audience: str, frame: bytes) -> int:
        return await self._shard.broadcast(audience, frame)


if __name__ == "__main__":
    program = _PROGRAMS[sys.argv[1]]
    with patch.object(program, "Pools", Pools):
        run(f"unactored-{sys.argv[1]}", program.main)
