"""The one Redis client of a process, and scripts from .lua files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.commands.core import AsyncScript
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError as RedisConnectionError

from tocsin.errors import EngineUnavailable
from tocsin.settings import Settings

_LUA = Path(__file__).parent / "lua"
_serializer: Final = HiredisRespSerializer()


class PackedConnection(Connection):
    """Packs commands in C, as the synchronous client does: a batch's call costs half."""

    def pack_command(self, *args: Any) -> list[bytes]:
        return cast(list[bytes], _serializer.pack(*args))


async def connect(settings: Settings, connections: int = 32) -> Redis:
    """A client whose callers wait for a free connection instead of failing.

    Values are bytes. Raises `EngineUnavailable` when nothing answers.
    """
    url = settings.redis_url.get_secret_value()
    pool = BlockingConnectionPool.from_url(
        url, max_connections=connections, timeout=10, socket_connect_timeout=5, protocol=3,
        connection_class=PackedConnection,
    )  # fmt: skip
    client = Redis.from_pool(pool)  # closing the client closes the pool
    try:
        await client.ping()
    except RedisConnectionError:
        where = url.rsplit("@", 1)[-1]
        raise EngineUnavailable("Redis", where, "start it, or set TOCSIN_REDIS_URL") from None
    return client


def script(client: Redis, *names: str) -> AsyncScript:
    """The script in lua/`name`.lua, sent by hash; of several names one after the other, where the
    last one uses the functions of those before."""
    return client.register_script("\n".join((_LUA / f"{n}.lua").read_text() for n in names))


def raw(values: Sequence[object]) -> Sequence[bytes | None]:
    """Replies of this client as what they are: it never decodes responses."""
    return cast(Sequence[bytes | None], values)
