"""ClickHouse for integration tests: the embedded engine, or TOCSIN_TEST_CLICKHOUSE_URL."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.migrate import migrate
from tests.integration.conftest import free_port, wait_until
from tocsin.kafka import ensure_topics
from tocsin.process import ready_file
from tocsin.settings import Settings

PASSWORD = "writer-of-the-tests"


def url_of(port: int) -> str:
    """The writer's URL of an engine on this port."""
    return f"clickhouse://tocsin:{PASSWORD}@127.0.0.1:{port}/tocsin"


def environment(settings: Settings) -> dict[str, str]:
    """For a process of ours: these settings and no others."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    return others | {
        "TOCSIN_DATA_DIR": str(settings.data_dir),
        "TOCSIN_KAFKA_URL": settings.kafka_url,
        "TOCSIN_CLICKHOUSE_URL": settings.clickhouse_url.get_secret_value(),
    }


def start(module: str, settings: Settings, *arguments: str) -> "subprocess.Popen[str]":
    """`python -m module` with its output caught."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_engine(port: int, path: Path, run_dir: Path) -> "subprocess.Popen[str]":
    """An engine over `path`; returns when it is ready (or has ended)."""
    settings = Settings(clickhouse_url=url_of(port), data_dir=run_dir)
    ready = ready_file(run_dir, "clickhouse")
    ready.unlink(missing_ok=True)
    process = start("analytics.engine", settings, "--port", str(port), "--path", str(path))
    wait_until(lambda: ready.exists() or process.poll() is not None, 30)
    return process


def stop(process: "subprocess.Popen[str]", seconds: float = 20) -> str:
    """SIGTERM; what it had printed."""
    process.terminate()
    return process.communicate(timeout=seconds)[0]


@pytest.fixture(scope="session")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running ClickHouse, as its writer's URL."""
    if url := os.environ.get("TOCSIN_TEST_CLICKHOUSE_URL"):
        yield url
        return
    port, home = free_port(), tmp_path_factory.mktemp("clickhouse")
    process = start_engine(port, home / "data", home)
    try:
        yield url_of(port)
    finally:
        stop(process)


@pytest.fixture
def clickhouse_settings(clickhouse_url: str, tmp_path: Path) -> Settings:
    """Settings with a real ClickHouse and nothing else."""
    return Settings(clickhouse_url=clickhouse_url, data_dir=tmp_path)


@pytest.fixture
async def clickhouse(clickhouse_settings: Settings) -> AsyncIterator[AsyncClient]:
    """The schema with empty tables, from which no row goes for its age: some tests have fixed
    dates."""
    client = await connect(clickhouse_settings, database="default")
    await migrate(client)
    await client.command("SYSTEM STOP TTL MERGES")
    tables = await client.query(
        "SELECT name FROM system.tables WHERE database = 'tocsin' AND engine NOT LIKE '%View'"
        " AND name != 'migrations'"
    )
    for (name,) in tables.result_rows:
        await client.command(f"TRUNCATE TABLE tocsin.{name}")
    yield client
    await client.close()


@pytest.fixture
async def pipeline(
    clickhouse: AsyncClient, clickhouse_settings: Settings, kafka_url: str
) -> Settings:
    """Settings with an empty ClickHouse and a broker that has every topic."""
    made = clickhouse_settings.model_copy(update={"kafka_url": kafka_url})
    await ensure_topics(made)
    return made
