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
from tocsin.errors import EngineUnavailable
from tocsin.process import ready_file
from tocsin.settings import Settings


async def is_ready(program: Program, pid: int, data_dir: Path) -> bool:
    """Whether the running process `pid` of this program serves now."""
    if not pid:
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
    """Raise `EngineUnavailable` for the first engine set by URL that does not answer."""
    if "valkey" in external:
        _check_redis(settings.redis_url.get_secret_value())
    if "clickhouse" in external:
        url = urlsplit(settings.clickhouse_url.get_secret_value())
        host, port = url.hostname or "", url.port or 8123
        if not clickhouse.answers(port, host):
            raise _missing("ClickHouse", f"{host}:{port}", "TOCSIN_CLICKHOUSE_URL")
    if "ray" in external and not _accepts(settings.ray_address):
        raise _missing("Ray", settings.ray_address, "TOCSIN_RAY_ADDRESS")
    if "broker" in external and not any(_accepts(at) for at in settings.kafka_servers()):
        raise _missing("Kafka", settings.kafka_url, "TOCSIN_KAFKA_URL")


def _check_redis(url: str) -> None:
    with Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
        try:
            client.ping()
        except RedisError:
            where = url.rsplit("@", 1)[-1]
            raise _missing("Redis", where, "TOCSIN_REDIS_URL") from None


def _accepts(address: str) -> bool:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return port.isdigit() and broker.answers(int(port), host)


def _missing(engine: str, where: str, setting: str) -> EngineUnavailable:
    return EngineUnavailable(engine, where, f"start it, or unset {setting} to use the embedded one")
