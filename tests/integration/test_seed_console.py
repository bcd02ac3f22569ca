"""What the pages print is what a person gets: their `console` lines, typed into a real system."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from tests.integration.conftest import free_port, wait_until
from tests.integration.console import Terminal, lines
from tests.integration.test_replay import environment
from tocsin.process import ready_file
from tocsin.settings import Settings

ROOT = Path(__file__).parents[2]
SEED, TOUR = ROOT / "docs" / "seed-endpoints.md", ROOT / "README.md"
API, SANDBOX = "http://127.0.0.1:8080", "http://127.0.0.1:8444"
"""The addresses that the pages name."""

PROGRAMS = {
    "api": ["api.serve"],
    "writer": ["analytics.writer"],
    "streams": ["tests.integration.unactored", "bulk"],
    "streams-otp": ["tests.integration.unactored", "otp"],
}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl, as the pages do"),
]


@contextmanager
def serving(settings: Settings, env: dict[str, str]) -> Iterator[None]:
    """Every process of the system, started at once, serving."""
    processes = [
        subprocess.Popen([sys.executable, "-m", *argv], env=env) for argv in PROGRAMS.values()
    ]
    try:
        wait_until(lambda: all(ready_file(settings.data_dir, n).exists() for n in PROGRAMS), 60)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


@pytest.fixture
def terminal(
    settings: Settings,
    redis: Redis,
    clickhouse: AsyncClient,
    clickhouse_url: str,
    sandbox_env: dict[str, str],
    tmp_path: Path,
) -> Iterator[Terminal]:
    """A shell beside the whole system, without Ray: its actors are in the workers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    more = sandbox_env | {
        "TOCSIN_CLICKHOUSE_URL": clickhouse_url,
        "TOCSIN_PUBLIC_URL": url,
        "TOCSIN_PORT": str(port),
        "TOCSIN_WS_PORT": str(free_port()),
    }
    env = environment(settings, **more)
    instead = {API: url, SANDBOX: sandbox_env["TOCSIN_SANDBOX_URL"]}
    with serving(settings, env), Terminal(env, tmp_path, instead) as shell:
        shell.type(f"curl -sS -X DELETE {SANDBOX}/sandbox/journal")
        shell.type(f'tocsin() {{ "{sys.executable}" -m tocsin "$@"; }}')
        yield shell


def test_the_seed_endpoints_answer_as_their_page_says(terminal: Terminal) -> None:
    typed = lines(SEED)
    assert sum(line.command.startswith(("api ", "curl ")) for line in typed) >= 18
    for line in typed:
        terminal.check(line)


@pytest.mark.skipif(shutil.which("jq") is None, reason="the tour uses jq")
def test_the_tour_goes_as_the_readme_says(terminal: Terminal) -> None:
    typed = lines(TOUR)
    assert len(typed) >= 20
    for line in typed:
        terminal.check(line)
