"""What a shard hears of the store."""

from typing import Any, cast

import pytest
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from actors.sockets.upkeep import _messages


class Published:
    """A subscription that says what it is told to; None is a while of silence."""

    def __init__(self, *said: dict[str, Any] | None) -> None:
        self.said, self.pings = list(said), 0

    async def get_message(self, timeout: float) -> dict[str, Any] | None:
        return self.said.pop(0)

    async def ping(self) -> None:
        self.pings += 1


MESSAGE = {"type": "message", "channel": b"c", "data": b"x"}
PONG = {"type": "pong", "channel": None, "data": b""}


async def test_a_subscription_that_answers_is_kept() -> None:
    published = Published(None, PONG, None, MESSAGE, None, PONG, MESSAGE)
    heard = _messages(cast(PubSub, published))
    kinds = [(await anext(heard))[0] for _ in range(4)]
    assert kinds == ["pong", "message", "pong", "message"]
    assert published.pings == 3


async def test_a_subscription_that_does_not_is_given_up() -> None:
    published = Published(MESSAGE, None, None)
    heard = _messages(cast(PubSub, published))
    assert await anext(heard) == ("message", "c", b"x")
    with pytest.raises(RedisConnectionError, match="silent"):
        await anext(heard)
