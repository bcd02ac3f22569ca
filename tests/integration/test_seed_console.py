"""What the pages print is what a person gets: their `console` lines, typed into a real system."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
    pytest.mark.any_broker,
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
) -> Iterator[Callable[[], AbstractContextManager[Terminal]]]:
    """Makes shells beside the whole system, without Ray: its actors are in the workers."""
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

    @contextmanager
    def made() -> Iterator[Terminal]:
        with Terminal(env, tmp_path, instead) as shell:
            shell.type(f'tocsin() {{ "{sys.executable}" -m tocsin "$@"; }}')
            yield shell

    with serving(settings, env):
        yield made


def test_the_pages_say_what_a_person_is_told(
    terminal: Callable[[], AbstractContextManager[Terminal]],
) -> None:
    for page in (SEED, TOUR) if shutil.which("jq") else (SEED,):
        typed = lines(page)
        assert len(typed) >= 25
        with terminal() as shell:
            for line in typed:
                shell.check(line)
