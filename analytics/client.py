"""The one way to ClickHouse: clickhouse-connect's async client over HTTP."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.settings import Settings

DATABASE = "tocsin"
PORTS: Mapping[str, int] = {"clickhouse": 8123, "clickhouses": 8443}
_ON_A_CLUSTER: Mapping[str, Any] = {
    # a subquery over a Distributed table is asked once and its answer sent to every shard
    "distributed_product_mode": "global",
    # an insert is acknowledged when it is on its shard: the writer commits after that
    "distributed_foreground_insert": 1,
}
_REFUSED = frozenset({192, 193, 194, 516})
"""ClickHouse's own numbers for a wrong user or password."""


class Place(NamedTuple):
    """Where ClickHouse is, and who asks."""

    host: str
    port: int
    user: str
    password: str
    database: str
    secure: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def near(self) -> bool:
        """Whether it is on this machine, where compressing costs more than it saves."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def place(settings: Settings) -> Place:
    """`clickhouse://user:pw@host:8123/tocsin` taken apart; `clickhouses://` means TLS.

    Raises `ConfigError`.
    """
    try:
        url = urlsplit(settings.clickhouse_url.get_secret_value())
        port = url.port
    except ValueError as error:
        raise ConfigError(f"TOCSIN_CLICKHOUSE_URL: {error}") from None
    if url.scheme not in PORTS or not url.hostname:
        raise ConfigError("TOCSIN_CLICKHOUSE_URL: clickhouse://user:password@host:8123/tocsin")
    return Place(
        host=url.hostname,
        port=port or PORTS[url.scheme],
        user=unquote(url.username or "default"),
        password=unquote(url.password or ""),
        database=url.path.strip("/") or DATABASE,
        secure=url.scheme == "clickhouses",
    )


async def connect(
    settings: Settings, database: str | None = None, patience: int = 300
) -> AsyncClient:
    """A client whose calls may run at the same time (it keeps no ClickHouse session), and wait so
    many seconds for an answer.

    Raises `EngineUnavailable` when nothing answers, or when it does not let us in.
    """
    at = place(settings)
    options: dict[str, Any] = {
        "compress": not at.near,
        "connect_timeout": 5,
        "send_receive_timeout": patience,
        "settings": dict(_ON_A_CLUSTER) if settings.clickhouse_cluster else {},
    }
    try:
        return await clickhouse_connect.get_async_client(
            host=at.host,
            port=at.port,
            username=at.user,
            password=at.password,
            database=database or at.database,
            secure=at.secure,
            client_name="tocsin",
            autogenerate_session_id=False,
            **options,
        )
    except ClickHouseError as error:
        raise EngineUnavailable("ClickHouse", str(at), _next_step(error)) from None


def _next_step(error: ClickHouseError) -> str:
    code = getattr(error, "code", None)
    if code in _REFUSED:
        return "it refuses the user or password in TOCSIN_CLICKHOUSE_URL"
    if code == 81:
        return "it has no such database, run `python -m analytics.migrate`"
    return "start it, or set TOCSIN_CLICKHOUSE_URL"
