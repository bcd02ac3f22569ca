"""When is it up? Ready files with the live pid, probes of engines, and starts counted."""

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from redis import Redis
from redis.exceptions import RedisError

from tocsin.cli.program import Program
from tocsin.engines import broker, clickhouse
from tocsin.engines.listening import listens
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.process import ready_file
from tocsin.settings import Settings


async def is_ready(program: Program, pid: int, data_dir: Path) -> bool:
    """Whether the running process `pid` of this program serves now."""
    if not pid:
        return False
    if program.port and not listens(pid, program.port):
        return False
    if program.probe:
        return await asyncio.to_thread(program.probe)
    return said_ready(ready_file(data_dir, program.name), pid)


def said_ready(path: Path, pid: int) -> bool:
    """Whether the ready file was written by `pid` or, under a family leash, by a descendant."""
    try:
        writer = int(json.loads(path.read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return False
    if writer == pid:
        return True
    with suppress(psutil.Error):
        return any(parent.pid == pid for parent in psutil.Process(writer).parents())
    return False


def starts(run: Path, name: str, within: float | None = None) -> int:
    """How often the process was started in this run (or in the last `within` seconds)."""
    try:
        lines = (run / f"{name}.starts").read_text().splitlines()
        times = [float(line.split()[0]) for line in lines]
    except (OSError, ValueError):
        return 0
    since = 0.0 if within is None else time.time() - within
    return sum(1 for at in times if at >= since)


def check_external(settings: Settings, external: frozenset[str]) -> None:
    """Raise `EngineUnavailable` for the first engine set by URL that does not answer, and
    `ConfigError` for a URL that is none."""
    if "valkey" in external:
        _check_redis(settings.redis_url.get_secret_value())
    if "clickhouse" in external:
        _check_clickhouse(settings.clickhouse_url.get_secret_value())
    if "ray" in external and not _accepts(settings.ray_address):
        raise _missing("Ray", settings.ray_address, "TOCSIN_RAY_ADDRESS")
    if "broker" in external and not any(_accepts(at) for at in settings.kafka_servers()):
        raise _missing("Kafka", settings.kafka_url, "TOCSIN_KAFKA_URL")


def _check_redis(url: str) -> None:
    try:
        with Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            client.ping()
    except RedisError:
        raise _missing("Redis", url.rsplit("@", 1)[-1], "TOCSIN_REDIS_URL") from None
    except ValueError as error:
        raise ConfigError(f"TOCSIN_REDIS_URL: {error}") from None


def _check_clickhouse(text: str) -> None:
    url = urlsplit(text)
    secure = url.scheme == "clickhouses"
    try:
        host, port = url.hostname, url.port or (8443 if secure else 8123)
    except ValueError as error:
        raise ConfigError(f"TOCSIN_CLICKHOUSE_URL: {error}") from None
    if url.scheme not in ("clickhouse", "clickhouses") or not host:
        raise ConfigError("TOCSIN_CLICKHOUSE_URL: clickhouse://user:password@host:8123/tocsin")
    if not clickhouse.answers(port, host, secure):
        raise _missing("ClickHouse", f"{host}:{port}", "TOCSIN_CLICKHOUSE_URL")


def _accepts(address: str) -> bool:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return port.isdigit() and broker.answers(int(port), host)


def _missing(engine: str, where: str, setting: str) -> EngineUnavailable:
    return EngineUnavailable(engine, where, f"start it, or unset {setting} to use the embedded one")
