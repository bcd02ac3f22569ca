"""FLUSHALL under load, then `tocsin rebuild`: nothing accepted is lost, nobody is taken for
unknown, no opt-out is undone. Duplicates are allowed: the store has forgotten who was told.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaProducer
from pyreqwest.client import ClientBuilder
from redis.asyncio import Redis

from analytics.client import connect as connect_analytics
from loadtest.bench.running import Running
from loadtest.people import person
from tests.integration.whole import Shop, shop
from tocsin import settings as settings_module
from tocsin.ids import new_id
from tocsin.kafka import partition_for, send_all, start_producer
from tocsin.records import Channel, NotificationRequest, encode
from tocsin.settings import Settings
from tocsin.store import connect
from tocsin.topics import REQUESTS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PEOPLE: Final = [str(7_000_000 + n) for n in range(400)]
OPTED_OUT: Final = frozenset(PEOPLE[::4])
WAITING: Final = PEOPLE[1:81:4]
CHANNELS: Final = (Channel.EMAIL, Channel.PUSH, Channel.SMS)
DATA: Final = {"order": "1", "items": 3, "total": "17.85", "currency": "GBP", "kind": "return"}


def _body(user_id: str, **more: Any) -> dict[str, Any]:
    who = person(user_id)
    return {
        "user_id": user_id, "email": who.email, "phone": who.phone, "devices": who.devices, **more,
    }  # fmt: skip


async def _register(shop: Shop) -> None:
    """Some opt out as they register, others later, and that is their second version."""
    later = sorted(OPTED_OUT)[1::2]
    at_once = OPTED_OUT.difference(later)
    users = [
        _body(u, preferences={"opted_out": True}) if u in at_once else _body(u) for u in PEOPLE
    ]
    status, found = await shop("POST", "/v1/users:batch", {"users": users})
    assert (status, found["refused"]) == (200, 0)
    for user in later:
        status, _ = await shop("PUT", f"/v1/users/{user}/preferences", {"opted_out": True})
        assert status == 200
    assert (await shop("POST", "/v1/inventory", _stock(0)))[0] == 202
    signups = [{"user_id": u, "sku": "lamp"} for u in WAITING]
    while True:  # until the stock is known
        status, found = await shop("POST", "/v1/subscriptions:batch", {"subscriptions": signups})
        if found["done"] == len(WAITING):
            return
        await asyncio.sleep(0.1)


def _stock(available: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"event_id": new_id(), "sku": "lamp", "available": available, "occurred_at": now}


class Load:
    """Requests over the API and straight into Kafka; `sent` is user and id of what was accepted."""

    def __init__(self, settings: Settings, shop: Shop, producer: AIOKafkaProducer) -> None:
        self._partitions, self._shop, self._producer = settings.partitions, shop, producer
        self.sent: dict[str, str] = {}
        self.refused = 0
        self.stop = asyncio.Event()

    async def produce(self, rounds: int) -> None:
        """`rounds` requests for everybody, in large records."""
        for turn in range(rounds):
            requests = [_request(user, CHANNELS[turn % 3]) for user in PEOPLE]
            by_partition: dict[int, list[NotificationRequest]] = {}
            for each in requests:
                place = partition_for(each.user_id, self._partitions)
                by_partition.setdefault(place, []).append(each)
            values = [(p, encode({"requests": each})) for p, each in by_partition.items()]
            await send_all(self._producer, REQUESTS, values)
            self.sent |= {r.notification_id: r.user_id for r in requests}

    async def ask(self) -> None:
        """One request after the other over the API until told to stop."""
        turn = 0
        while not self.stop.is_set():
            user, turn = PEOPLE[turn % len(PEOPLE)], turn + 1
            body = {
                "user_id": user, "type": "ORDER_UPDATE", "data": DATA,
                "channels": ["email"],
            }  # fmt: skip
            status, found = await self._shop("POST", "/v1/notifications", body)
            if status == 202:
                self.sent[found["notification_id"]] = user
            else:
                assert (status, found["type"]) == (503, "urn:tocsin:problem:unavailable"), found
                self.refused += 1
            await asyncio.sleep(0.01)


def _request(user: str, channel: Channel) -> NotificationRequest:
    return NotificationRequest(
        notification_id=new_id(), user_id=user, type="ORDER_UPDATE", data=DATA,
        channels=(channel,), accepted_at=datetime.now(UTC),
    )  # fmt: skip


async def _until_delivered(settings: Settings, count: int) -> None:
    client = await connect_analytics(settings)
    try:
        async with asyncio.timeout(120):
            while True:
                row = (await client.query("SELECT count() FROM tocsin.deliveries FINAL")).first_row
                if row and int(row[0]) >= count:
                    return
                await asyncio.sleep(0.1)
    finally:
        await client.close()


async def _emptied_is_noticed(shop: Shop, user: str) -> None:
    """By everything that would have to know what is no longer there."""
    ask = {"user_id": user, "type": "ORDER_UPDATE", "data": DATA}
    for method, path, body in (
        ("GET", f"/v1/users/{user}", None),
        ("PATCH", f"/v1/users/{user}", {"name": "From scratch"}),
        ("POST", "/v1/users", _body(user)),
        ("DELETE", f"/v1/users/{user}", None),
        ("POST", "/v1/notifications", ask),
        ("POST", "/v1/notifications:batch", {"requests": [ask]}),
        ("POST", "/v1/otp", {"user_id": user, "purpose": "login"}),
        ("POST", "/v1/subscriptions", {"user_id": user, "sku": "lamp"}),
        ("GET", f"/v1/subscriptions?user_id={user}", None),
        ("GET", "/readyz", None),
    ):
        status, found = await shop(method, path, body)
        assert status == 503, (method, path, status, found)


async def _rebuild(running: Running) -> str:
    argv = [sys.executable, "-m", "streams.rebuild"]
    process = await asyncio.create_subprocess_exec(
        *argv, env=running.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def _run(running: Running, settings: Settings) -> Load:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(shop(settings))
        producer = await start_producer(settings)
        stack.push_async_callback(producer.stop)
        redis: Redis = await connect(settings)
        stack.push_async_callback(redis.aclose)
        await _register(service)
        changed, opted_out = PEOPLE[1], min(OPTED_OUT)
        before = {u: (await service("GET", f"/v1/users/{u}"))[1] for u in (changed, opted_out)}
        load = Load(settings, service, producer)
        asking = asyncio.create_task(load.ask())
        await load.produce(6)
        await _until_delivered(settings, 200)
        await redis.flushall()
        await _emptied_is_noticed(service, changed)
        await load.produce(2)
        assert (await service("POST", "/v1/inventory", _stock(9)))[0] == 202
        print(await _rebuild(running))
        status, found = await service("PATCH", f"/v1/users/{changed}", {"name": "Renamed"})
        assert (status, found["version"]) == (200, before[changed].get("version", 0) + 1)
        assert (await service("GET", f"/v1/users/{opted_out}"))[1] == before[opted_out]
        await load.produce(1)
        load.stop.set()
        await asking
        return load


async def _settled(settings: Settings, sent: int) -> None:
    """Every notification has ended on its every channel; those of the sign-ups too."""
    client = await connect_analytics(settings)
    told = "SELECT uniqExact(notification_id) FROM tocsin.deliveries FINAL WHERE type != 'OTP'"
    open_ = "SELECT countIf(empty(states)) FROM tocsin.delivery_states"
    try:
        async with asyncio.timeout(240):
            while True:
                ended = (await client.query(told)).first_row
                left = (await client.query(open_)).first_row
                if ended and left and (int(ended[0]), int(left[0])) == (sent, 0):
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise AssertionError(f"ended {ended}, open {left}, accepted {sent}") from None
    finally:
        await client.close()


async def _rows(settings: Settings, sql: str) -> list[Sequence[Any]]:
    client = await connect_analytics(settings)
    try:
        return list((await client.query(sql)).result_rows)
    finally:
        await client.close()


async def _receipts(settings: Settings) -> list[dict[str, Any]]:
    """Everything the providers accepted."""
    found: list[dict[str, Any]] = []
    async with ClientBuilder().build() as client:
        while True:
            since = found[-1]["sequence"] if found else 0
            path = f"/sandbox/journal?since={since}&limit=10000&format=ndjson"
            answer = await client.get(settings.sandbox_url + path).build().send()
            lines = (await answer.text()).splitlines()
            if not lines:
                return found
            found += map(json.loads, lines)


def test_an_emptied_redis_costs_nothing_that_was_accepted_and_no_opt_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Running(tmp_path / "data") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        settings = settings_module.load()
        load = asyncio.run(_run(running, settings))
        asyncio.run(_settled(settings, len(load.sent) + len(WAITING)))
        audit = subprocess.run(
            [sys.executable, "-m", "analytics.audit", "--quiescent"],
            env=running.environment, capture_output=True, text=True,
        )  # fmt: skip
        reasons = asyncio.run(
            _rows(
                settings,
                "SELECT toString(state), reason, count() FROM tocsin.deliveries FINAL"
                " GROUP BY state, reason",
            )
        )
        back = asyncio.run(
            _rows(
                settings,
                "SELECT uniqExact(user_id) FROM tocsin.deliveries FINAL"
                " WHERE type = 'BACK_IN_STOCK' AND state = 'delivered'",
            )
        )
        receipts = asyncio.run(_receipts(settings))
    assert audit.returncode == 0, audit.stdout
    print(load.refused, reasons)
    assert load.refused > 0
    ends = {(state, reason) for state, reason, _ in reasons}
    assert ends == {("delivered", ""), ("suppressed", "opted_out")}, reasons
    assert back == [(len(WAITING),)]
    told = {load.sent.get(r["delivery_id"].rpartition(":")[0]) for r in receipts}
    assert len(told - {None}) == len(PEOPLE) - len(OPTED_OUT)
    assert not told & OPTED_OUT
