"""Which system is asked: one of our own, or one that runs already; by default only on this host."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from loadtest.bench.running import Running
from tocsin import settings as settings_module
from tocsin.cli.pass_on import system_environment
from tocsin.errors import Invalid
from tocsin.settings import Settings


def check(url: str, allow_remote: bool) -> None:
    """Raises `Invalid` for what is no address, or is not this machine's without leave."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("target", f"{url!r} is no address of an API, such as http://127.0.0.1:8080")
    if not allow_remote and not _is_loopback(parts.hostname):
        raise Invalid(
            "target", f"{parts.hostname} is not this machine: a load is no gift, say --allow-remote"
        )


@contextmanager
def running(
    target: str, data: Path, allow_remote: bool
) -> Iterator[tuple[Settings, Running | None]]:
    """The settings of the system, which runs while the context lasts. Without `target` it is one
    of our own, started in `data` and ended with it. The process's environment is then the system's.
    """
    if not target:
        with Running(data, apart=True) as ours:
            os.environ.update(ours.environment)
            yield settings_module.load(), ours
        return
    os.environ.update(system_environment(data))
    os.environ["TOCSIN_PUBLIC_URL"] = target.rstrip("/")
    settings = settings_module.load()
    if not allow_remote:
        _check_engines(settings)
    yield settings, None


def _check_engines(settings: Settings) -> None:
    """The API may be here while what it is made of is not."""
    hosts = {server.rpartition(":")[0] for server in settings.kafka_servers()}
    hosts.add(urlsplit(settings.redis_url.get_secret_value()).hostname or "")
    hosts.add(urlsplit(settings.clickhouse_url.get_secret_value()).hostname or "")
    for host in sorted(hosts):
        if host and not _is_loopback(host):
            raise Invalid("target", f"its engine at {host} is not on this machine: --allow-remote")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
