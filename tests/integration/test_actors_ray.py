"""Real Ray, the real sandbox: actors killed in mid-work lose nothing and repeat only what may have
been lost; shards are made when many are connected.

The tests share one node, which takes as long to start as they take to run.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.supervise import EVERY
from tests.integration.conftest import wait_until
from tests.integration.pool_program import notification_id
from tests.integration.ray_node import Node, running
from tests.integration.resuming_client import Resuming, all_shown, until
from tests.integration.sending_program import USERS
from tests.unit.actors.makers import profile
from tocsin.observability.targets import Target, known
from tocsin.records import Device, State
from tocsin.store import Profiles, SendResult, keys
from tocsin.store.registry import living
from tocsin.store.tickets import Tickets

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
BATCHES, SIZE = 12, 100
FULL = 20
"""Sockets a shard should hold here."""


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str, sandbox_env: dict[str, str]
) -> Iterator[Node]:
    settings = {
        "TOCSIN_REDIS_URL": redis_url,
        "TOCSIN_SHARDS": "2",
        "TOCSIN_SHARDS_MAX": "3",
        "TOCSIN_SHARD_CONNECTIONS": str(FULL),
    }
    with running(tmp_path_factory.mktemp("node"), sandbox_env | settings) as made:
        yield made


@pytest.fixture(scope="module")
def pools(node: Node) -> Iterator["Caller"]:
    made = Caller(node)
    yield made
    made.close()


class Caller:
    """The program that calls the pools."""

    def __init__(self, node: Node) -> None:
        self._process = node.start(
            sys.executable, "-m", "tests.integration.pool_program",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    async def ask(self, line: str) -> Any:
        """The answer to a line, in a thread: it may take long."""
        return await asyncio.to_thread(self._ask, line)

    def each(self, users: str) -> Callable[[int], Awaitable[None]]:
        """Delivers the notification of a number to each of these."""

        async def deliver(number: int) -> None:
            answer = await self.ask(f"deliver {users} {number} {number}")
            assert answer == {"delivered": len(users.split(","))}

        return deliver

    def close(self) -> None:
        """Its input ends, and so does it."""
        self._process.communicate(timeout=60)

    def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


def test_every_actor_has_metrics_of_its_own(node: Node) -> None:
    assert node.supervisor is not None
    everyone = node.facts()["pids"] | {"actors": node.supervisor.pid}
    found = {target.process: target for target in known(node.data_dir)}
    assert {name: target.pid for name, target in found.items()} == everyone
    assert 'tocsin_throttled_seconds_total{channel="otp"}' in _metrics(found["otp-lane"])
    assert 'tocsin_throttled_seconds_total{channel="sms"}' in _metrics(found["sender-sms-0"])
    assert "tocsin_ws_connections_bound 60.0" in _metrics(found["actors"])
    for target in found.values():
        assert "process_resident_memory_bytes" in _metrics(target)


def _metrics(target: Target) -> str:
    with urllib.request.urlopen(f"http://{target.address}/metrics", timeout=60) as answer:
        return str(answer.read().decode())


async def test_a_sender_killed_in_mid_batch(node: Node, redis: Redis) -> None:
    for number in range(USERS):
        device = Device("ios", f"{number:064x}")
        await Profiles(redis).put(profile(f"u{number}", devices={"phone": device}))
    node.sandbox("DELETE", "/sandbox/journal")
    node.sandbox("PUT", "/sandbox/faults", {"provider": "apns", "latency_ms": 150})
    program = node.start(
        sys.executable, "-m", "tests.integration.sending_program", str(BATCHES), str(SIZE),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    wait_until(lambda: node.accepted() > SIZE, 120)
    victim = node.facts()["pids"]["sender-push-0"]
    os.kill(victim, signal.SIGKILL)
    output, _ = program.communicate(timeout=240)
    assert program.returncode == 0
    results = msgspec.json.decode(output, type=list[SendResult])

    assert len(results) == len({r.delivery_id for r in results}) == BATCHES * SIZE
    assert {r.state for r in results} <= {State.DELIVERED, State.FAILED}
    ambiguous = {r.delivery_id for r in results if r.ambiguous}
    assert ambiguous, "the kill came between batches"
    seen = _receipts(node)
    assert {name for name, times in seen.items() if times > 1} <= ambiguous
    for result in results:
        promotional = int(result.delivery_id.partition(":")[0].rpartition("-")[2]) % 2 == 1
        if result.state is State.DELIVERED:
            assert seen[result.delivery_id] >= 1
        else:
            assert (promotional, result.reason) == (True, "ambiguous")
        assert seen[result.delivery_id] <= (1 if promotional else 2)
    wait_until(lambda: node.facts()["pids"]["sender-push-0"] != victim, 60)


def _receipts(node: Node) -> Counter[str]:
    """How often each delivery arrived, by the sandbox's own books."""
    seen: Counter[str] = Counter()
    since = 0
    while page := node.sandbox("GET", f"/sandbox/journal?since={since}&limit=1000")["receipts"]:
        seen.update(receipt["delivery_id"] for receipt in page)
        since = page[-1]["sequence"]
    return seen


async def members(redis: Redis, people: list[str]) -> None:
    for name in people:
        await Profiles(redis).put(profile(name))


async def registered(redis: Redis, *shards: str) -> None:
    """Return when all of these are known to each other, again: the store was emptied before."""

    async def known() -> bool:
        return set(shards) <= set(await living(redis))

    await until(known)


@asynccontextmanager
async def connected(node: Node, redis: Redis, *users: str) -> AsyncIterator[list[Resuming]]:
    """A device of each of these, on whichever shard the kernel chooses."""
    port = int(node.env["TOCSIN_WS_PORT"])
    clients = [Resuming(user, Tickets(redis), lambda: port) for user in users]
    tasks = [asyncio.create_task(client.run()) for client in clients]
    try:
        await until(lambda: all(client.ready for client in clients))
        yield clients
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_shard_killed_under_load(node: Node, redis: Redis, pools: Caller) -> None:
    people, begun, rounds = [f"p{n}" for n in range(12)], 20, 150
    await members(redis, people)
    names = ",".join(people)
    await registered(redis, "shard-0", "shard-1")
    async with connected(node, redis, *people, *people) as clients:
        before = node.facts()["pids"]
        assert await pools.ask(f"deliver {names} 1 {begun}") == {"delivered": begun * 12}
        load = asyncio.create_task(pools.ask(f"deliver {names} {begun + 1} {rounds - 1}"))
        await until(lambda: all(len(client.heard) > begun for client in clients))
        os.kill(before["shard-0"], signal.SIGKILL)
        assert await load == {"delivered": (rounds - 1 - begun) * 12}
        rounds = await all_shown(clients, pools.each(names), rounds)
    assert any(1006 in client.closes for client in clients), "nobody was on the shard that died"
    for client in clients:
        assert [offset for offset, _ in client.heard] == list(range(1, rounds + 1))
        kept = await redis.zrange(keys.inbox(client.user), 0, -1)
        assert [name.encode() for _, name in client.heard] == kept
        wanted = {notification_id(client.user, n) for n in range(1, rounds + 1)}
        assert {name for _, name in client.heard} == wanted
        assert client.broken == []
    await until(lambda: node.facts()["pids"]["shard-0"] != before["shard-0"])


async def test_full_shards_get_another_that_goes_when_it_is_not_needed(
    node: Node, redis: Redis, pools: Caller
) -> None:
    people = [f"e{n}" for n in range(12)]
    await members(redis, people)
    names = ",".join(people)
    async with AsyncExitStack() as stack:
        async with AsyncExitStack() as crowd:
            watching = [
                await crowd.enter_async_context(operator(node, redis)) for _ in range(2 * FULL + 4)
            ]
            await until(lambda: "shard-2" in node.facts()["ws"])
            watching += [await crowd.enter_async_context(operator(node, redis)) for _ in range(16)]
            clients = await stack.enter_async_context(connected(node, redis, *people))
            await registered(redis, "shard-0", "shard-1", "shard-2")
            assert await pools.ask("broadcast ops") == len(watching)
            shown = await all_shown(clients, pools.each(names), 1)
            extra = node.facts()["pids"]["shard-2"]
        await until(lambda: "shard-2" not in node.facts()["pids"])
        await until(lambda: _gone(extra))

        async def base_alone() -> bool:
            return await living(redis) == ["shard-0", "shard-1"]

        await until(base_alone)
        shown = await all_shown(clients, pools.each(names), shown + 1)
        assert await pools.ask("broadcast ops") == 0
    for client in clients:
        assert [offset for offset, _ in client.heard] == list(range(1, shown + 1))
        assert client.broken == []


@asynccontextmanager
async def operator(node: Node, redis: Redis) -> AsyncIterator[ClientConnection]:
    """A socket that hears broadcasts."""
    async with connect(f"ws://127.0.0.1:{node.env['TOCSIN_WS_PORT']}/", compression=None) as ws:
        ticket = await Tickets(redis).issue("audience:ops")
        await ws.send(json.dumps({"op": "hello", "ticket": ticket}))
        assert b'"ready"' in str(await ws.recv()).encode()
        yield ws


async def test_a_node_that_leaves_sends_its_sockets_elsewhere_and_goes_on_delivering(
    node: Node, redis: Redis, pools: Caller
) -> None:
    await members(redis, ["away"])
    await registered(redis, "shard-0", "shard-1")
    async with operator(node, redis) as ws:
        leave = node.start(sys.executable, "-m", "actors.leave", "--seconds", "0.2")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(ws.recv(), 60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert await asyncio.to_thread(leave.wait, 60) == 0
    pids = node.facts()["pids"]
    # so many rounds of the supervisor, which would have started anew what only drained
    await asyncio.sleep(3 * EVERY)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", int(node.env["TOCSIN_WS_PORT"]))
    assert await pools.ask("deliver away 1 1") == {"delivered": 1}
    assert node.facts()["pids"] == pids


def test_sigterm_to_the_supervisor_takes_every_actor_with_it(node: Node) -> None:
    pids = node.facts()["pids"]
    assert node.supervisor is not None
    node.supervisor.terminate()
    assert node.supervisor.wait(60) == 0
    for pid in pids.values():
        wait_until(lambda pid=pid: _gone(pid), 20)  # type: ignore[misc]
