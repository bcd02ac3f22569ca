"""What the common contract does not hold: nobody listening, silence, tokens, repetitions."""

import asyncio
import socket
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from redis.asyncio import Redis

from actors.message import Content
from actors.providers.apns_token import FRESH_SECONDS, MIN_AGE_SECONDS, ApnsToken
from actors.providers.email_smtp import EmailSmtp
from actors.providers.http import make_client, post
from actors.providers.push_apns import PushApns
from tests.contract.rigs import SandboxRig
from tests.integration.conftest import free_port
from tests.unit.actors.makers import message
from tocsin.errors import Ambiguous, Permanent, SendError, Transient
from tocsin.records import Priority
from tocsin.settings import Apns, Smtp

pytestmark = pytest.mark.integration
SOON = timedelta(seconds=1.5)


async def test_nobody_listening_is_transient() -> None:
    client = make_client()
    with pytest.raises(Transient):
        await post(client, "x", f"http://127.0.0.1:{free_port()}/secret-token", {}, b"x")
    with pytest.raises(Transient):
        await EmailSmtp(Smtp(url=f"smtp://127.0.0.1:{free_port()}")).send(
            message(address="a@example.com")
        )
    await client.close()


async def test_silence_after_the_request_is_ambiguous_and_before_the_greeting_transient() -> None:
    client = make_client(timeout=SOON)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        where = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(Ambiguous) as found:
            await post(client, "x", f"http://{where}/secret-token", {}, b"x")
        assert "secret" not in str(found.value)
        with pytest.raises(Transient):
            await EmailSmtp(Smtp(url=f"smtp://{where}"), timeout=SOON.total_seconds()).send(
                message(address="a@example.com")
            )
    await client.close()


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _headers_only(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab")


def _junk(peer: socket.socket) -> None:
    peer.sendall(b"what is this\r\n\r\n")


async def _outcome(scheme: str, end: Callable[[socket.socket], object]) -> SendError:
    """What a POST raises when the peer reads once, does `end` and closes."""

    def serve() -> None:
        peer, _ = server.accept()
        peer.recv(65_536)
        end(peer)
        peer.close()

    client = make_client()
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = asyncio.create_task(asyncio.to_thread(serve))
        with pytest.raises(SendError) as found:
            await post(client, "x", f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", {}, b"x")
        await serving
    await client.close()
    return found.value


@pytest.mark.parametrize("end", [socket.socket.fileno, _reset, _headers_only, _junk])
async def test_a_connection_cut_after_the_request_is_ambiguous(
    end: Callable[[socket.socket], object],
) -> None:
    assert isinstance(await _outcome("http", end), Ambiguous)


@pytest.mark.parametrize("end", [socket.socket.fileno, _reset, _junk])
async def test_a_tls_handshake_that_fails_is_transient(
    end: Callable[[socket.socket], object],
) -> None:
    assert isinstance(await _outcome("https", end), Transient)


async def test_a_url_that_is_none_is_permanent() -> None:
    client = make_client()
    with pytest.raises(Permanent):
        await post(client, "x", "https://", {}, b"x")
    await client.close()


async def test_the_fleet_shares_one_provider_token(
    redis: Redis, sandbox_env: dict[str, str]
) -> None:
    now = [1_000_000.0]
    key = Path(sandbox_env["TOCSIN_APNS_KEY_FILE"])
    one, two = (ApnsToken(redis, key, "KEY", "TEAM", lambda: now[0]) for _ in range(2))
    token = await one.get()
    assert await two.get() == token
    assert jwt.get_unverified_header(token)["kid"] == "KEY"
    now[0] += FRESH_SECONDS - 1
    assert await one.get() == token
    await redis.flushall()  # what its time to live does
    now[0] += 1
    fresh = await one.get()
    assert fresh != token
    assert await two.get() == fresh
    await one.reject(fresh)
    assert await one.get() == fresh, "Apple refuses a team that renews within 20 minutes"
    now[0] += MIN_AGE_SECONDS
    await one.reject(fresh)
    assert await one.get() != fresh


async def test_a_payload_too_large_is_not_sent(redis: Redis) -> None:
    client = make_client()
    apns = PushApns(Apns(url="https://127.0.0.1:1"), client, ApnsToken(redis, "", "K", "T"))
    with pytest.raises(Permanent, match="PayloadTooLarge"):
        await apns.send(message(content=Content("ü" * 3_000, "t")))
    await client.close()


async def test_a_repeated_push_replaces_itself(redis: Redis, sandbox_env: dict[str, str]) -> None:
    rig = SandboxRig("apns", sandbox_env, redis)
    await rig.reset()
    first = await rig.provider.send(message(address=rig.good, priority=Priority.LOW))
    again = await rig.provider.send(message(address=rig.good))
    other = await rig.provider.send(message(address="cd" * 32))
    assert first == again != other
    receipts = await rig.journal()
    assert {r["collapse_id"] for r in receipts} == {"n1:push"}
    await rig.close()
