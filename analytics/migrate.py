"""`python -m analytics.migrate`: bring the schema up to date. Doing it again changes nothing.

A migration is a numbered .sql file whose every statement may be repeated, so that dying half-way
is harmless; it is recorded, with the hash of its text, when all of it has run.
"""

import asyncio
import hashlib
import logging
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from clickhouse_connect.driver import AsyncClient

from analytics.client import DATABASE, connect
from analytics.cluster import on, placed
from tocsin.errors import ConfigError
from tocsin.process import run
from tocsin.settings import Settings

DIRECTORY: Final = Path(__file__).parent / "migrations"
_BEGIN: Final = (
    "CREATE DATABASE IF NOT EXISTS tocsin $cluster",
    "CREATE DATABASE IF NOT EXISTS tocsin_shard $cluster",
    "CREATE TABLE IF NOT EXISTS tocsin.migrations $cluster (version UInt32, name String,"
    " sha256 String, at DateTime('UTC') DEFAULT now()) ENGINE = $replacing ORDER BY version",
)
_PATIENCE_SECONDS: Final = 6 * 3600
"""A migration may copy a large table."""

log = logging.getLogger("tocsin.migrate")


class Migration(NamedTuple):
    """One file: its number, its name, its text as written."""

    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Changes when an applied file is edited, which is a mistake."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load(directory: Path = DIRECTORY) -> list[Migration]:
    """Every migration in order. Raises `ConfigError` when a number is missing or used twice."""
    paths = sorted(directory.glob("*.sql"))
    found = [Migration(int(p.name[:4]), p.stem, p.read_text(encoding="utf-8")) for p in paths]
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise ConfigError(f"{directory}: migrations are not numbered 0001, 0002, ...")
    return found


def rendered(text: str, cluster: str = "") -> str:
    """With a cluster's name every table is replicated and every statement runs ON CLUSTER."""
    return Template(text).substitute(
        replacing="ReplicatedReplacingMergeTree" if cluster else "ReplacingMergeTree",
        summing="ReplicatedSummingMergeTree" if cluster else "SummingMergeTree",
        cluster=on(cluster),
    )


def steps(migration: Migration, cluster: str = "") -> list[str]:
    """What is run, statement by statement."""
    return [
        step
        for statement in statements(rendered(migration.text, cluster))
        for step in placed(statement, cluster)
    ]


def statements(text: str) -> list[str]:
    """The statements of a file; each ends with a semicolon at the end of a line."""
    return [part.strip() for part in f"{text}\n".split(";\n") if _code(part)]


def _code(part: str) -> str:
    return "\n".join(line for line in part.splitlines() if not line.startswith("--")).strip()


async def migrate(client: AsyncClient, directory: Path = DIRECTORY, cluster: str = "") -> list[str]:
    """Apply what is missing; returns its names. Raises `ConfigError` for an edited migration."""
    for begin in _BEGIN if cluster else (_BEGIN[0], _BEGIN[2]):
        for step in placed(rendered(begin, cluster), cluster):
            await client.command(step)
    result = await client.query("SELECT version, sha256 FROM tocsin.migrations FINAL")
    applied = {int(version): str(digest) for version, digest in result.result_rows}
    todo = [each for each in load(directory) if _is_missing(each, applied)]
    for migration in todo:
        for step in steps(migration, cluster):
            await client.command(step)
        row = [migration.version, migration.name, migration.sha256]
        await client.insert("migrations", [row], ["version", "name", "sha256"], database=DATABASE)
    return [migration.name for migration in todo]


def _is_missing(migration: Migration, applied: dict[int, str]) -> bool:
    if migration.version not in applied:
        return True
    if applied[migration.version] != migration.sha256:
        raise ConfigError(
            f"{migration.name}.sql was changed after it had been applied: add a new migration"
        )
    return False


async def main(settings: Settings, _: asyncio.Event) -> None:
    """Once, then exit 0."""
    client = await connect(settings, database="default", patience=_PATIENCE_SECONDS)
    try:
        done = await migrate(client, cluster=settings.clickhouse_cluster)
    finally:
        await client.close()
    log.info("schema up to date%s", f", applied {', '.join(done)}" if done else "")


if __name__ == "__main__":
    run("migrate", main, metrics=False)
