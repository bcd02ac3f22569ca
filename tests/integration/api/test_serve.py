"""The API as a process: when it serves, what it finishes, and why it does not start."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.integration.conftest import free_port, wait_until
from tocsin.process import ready_file
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint

pytestmark = pytest.mark.integration

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def environment(settings: Settings, port: int) -> dict[str, str]:
    return os.environ | {
        "TOCSIN_KAFKA_URL": settings.kafka_url,
        "TOCSIN_REDIS_URL": settings.redis_url.get_secret_value(),
        "TOCSIN_OTP_SECRET": settings.otp_secret.get_secret_value(),
        "TOCSIN_JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "TOCSIN_DATA_DIR": str(settings.data_dir),
        "TOCSIN_PORT": str(port),
    }


def start(env: dict[str, str], stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api.serve"], env=env, stdout=subprocess.DEVNULL, stderr=stderr,
        text=True,
    )  # fmt: skip


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(settings: Settings, redis: Redis, port: int) -> Iterator[subprocess.Popen[str]]:
    with start(environment(settings, port)) as made:
        is_ready = ready_file(settings.data_dir, "api")
        wait_until(lambda: is_ready.exists() or made.poll() is not None, 60)
        yield made
        made.kill()


async def _post(
    port: int, head: str, *pieces: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    for piece in pieces:
        writer.write(piece)
    await writer.drain()
    return reader, writer


async def test_a_request_under_way_when_it_is_stopped_is_answered(
    process: subprocess.Popen[str], settings: Settings, port: int
) -> None:
    token = mint(settings, subject="s", kind="service", scopes=SCOPES, seconds=60)
    body = json.dumps({"user_id": "ada"}).encode()
    head = (
        f"POST /v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await _post(port, head)
    # it says so when it asks for the body
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60) == CONTINUE
    writer.write(body[:5])
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(wait_until, lambda: not listens(port))
    writer.write(body[5:])
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 201")
    assert await asyncio.to_thread(process.wait, 60) == 0


async def test_its_ready_file_names_it_and_its_address(
    process: subprocess.Popen[str], settings: Settings, port: int
) -> None:
    said = json.loads(ready_file(settings.data_dir, "api").read_text())
    assert (said["pid"], said["url"]) == (process.pid, f"http://127.0.0.1:{port}")
    reader, writer = await _post(
        port, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert b'"ok":true' in await asyncio.wait_for(reader.read(), 60)
    writer.close()


@pytest.mark.parametrize("listens", [True, False])
async def test_a_port_that_is_taken_is_one_clear_line(settings: Settings, listens: bool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if listens:
            taken.listen()
        port = taken.getsockname()[1]
        with start(environment(settings, port)) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.count("\n") == 1
    assert f"127.0.0.1:{port}" in said


@pytest.mark.parametrize("name", ["TOCSIN_JWT_SECRET", "TOCSIN_OTP_SECRET"])
async def test_a_missing_secret_is_one_clear_line(settings: Settings, name: str) -> None:
    with start(environment(settings, free_port()) | {name: ""}) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.startswith(f"tocsin api: {name}")


async def test_a_missing_engine_is_one_clear_line(settings: Settings, tmp_path: Path) -> None:
    where = f"127.0.0.1:{free_port()}"
    env = environment(settings, free_port()) | {"TOCSIN_REDIS_URL": f"redis://{where}/0"}
    with start(env) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert where in said
