"""kill -9 of each process, one after the other, in the middle of a broadcast with retries: each
recipient ends in exactly one state per channel, and nobody is told twice.

TOCSIN_TEST_RECIPIENTS says how many recipients there are; the figures are printed (pytest -s).
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.client import connect as connect_analytics
from loadtest.bench.journal import Journal
from loadtest.bench.running import Running
from loadtest.people import person
from tests.integration.whole import Shop, shop
from tocsin import settings as settings_module
from tocsin.errors import EngineUnavailable
from tocsin.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_800)]

RECIPIENTS: Final = int(os.environ.pop("TOCSIN_TEST_RECIPIENTS", "4000"))
VICTIMS: Final = (
    "sender-push-0", "streams-1", "shard-0", "writer", "valkey", "api", "clickhouse", "actors",
    "ray",
)  # fmt: skip
_ENDED: Final = "SELECT count() FROM tocsin.deliveries FINAL WHERE type = 'SALE_OFFER'"
_STATES: Final = """
SELECT channel, state, reason, count() FROM tocsin.deliveries FINAL WHERE type = 'SALE_OFFER'
GROUP BY channel, state, reason ORDER BY channel, state, reason"""
_UNEVEN: Final = """
SELECT count() FROM (
    SELECT delivery_id FROM tocsin.deliveries FINAL WHERE type = 'SALE_OFFER'
    GROUP BY delivery_id HAVING count() != 1
)"""
_PEOPLE: Final = "SELECT uniqExact(user_id) FROM tocsin.deliveries FINAL WHERE type = 'SALE_OFFER'"


async def _register(service: Shop) -> None:
    for start in range(0, RECIPIENTS, 1_000):
        users = []
        for n in range(start, min(start + 1_000, RECIPIENTS)):
            who = person(str(6_000_000 + n))
            # one device each, so that a push is one call
            device = dict(list(who.devices.items())[:1])
            users.append({"user_id": who.user_id, "devices": device, "topics": ["news"]})
        status, found = await service("POST", "/v1/users:batch", {"users": users})
        assert (status, found["refused"]) == (200, 0)


async def _one(client: AsyncClient, sql: str) -> int:
    row = (await client.query(sql)).first_row
    return int(row[0]) if row else 0


async def _books(settings: Settings) -> AsyncClient:
    """ClickHouse, which was killed a moment ago."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await connect_analytics(settings)
            except EngineUnavailable:
                await asyncio.sleep(0.2)


async def _accepted(journal: Journal) -> int:
    return sum((await journal.summary())["accepted"].values())


async def _until(told: int, journal: Journal) -> None:
    """Wait until so many were told, or all was said: the last victims may find nothing to do."""
    quiet, last = 0, -1
    while (now := await _accepted(journal)) < told and quiet < 100:
        quiet, last = (quiet + 1, now) if now == last else (0, now)
        await asyncio.sleep(0.1)


async def _finished(client: AsyncClient, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (ended := await _one(client, _ENDED)) < 2 * RECIPIENTS:
        assert time.monotonic() < end, f"{ended:,} of {2 * RECIPIENTS:,} have ended"
        await asyncio.sleep(0.5)


async def _broadcast(running: Running) -> dict[str, Any]:
    settings = settings_module.load()
    async with shop(settings) as service, Journal(settings.sandbox_url) as journal:
        await _register(service)
        await journal.put(
            "/sandbox/faults", {"provider": "apns", "status": 503, "rate": 0.1, "retry_after": 1}
        )
        began = time.monotonic()
        status, found = await service(
            "POST",
            "/v1/broadcasts",
            {
                "audience": {"topic": "news"}, "type": "SALE_OFFER",
                "data": {"body": "Everything half price."},
            },
        )  # fmt: skip
        assert status == 202, found
        for n, victim in enumerate(VICTIMS, 1):
            await _until(n * RECIPIENTS // (len(VICTIMS) + 2), journal)
            if pid := running.pid(victim):
                os.kill(pid, signal.SIGKILL)
        client = await _books(settings)
        try:
            await _finished(client, 300 + RECIPIENTS / 100)
            took = time.monotonic() - began
            states = (await client.query(_STATES)).result_rows
            uneven, people = await _one(client, _UNEVEN), await _one(client, _PEOPLE)
        finally:
            await client.close()
        progress = (await service("GET", f"/v1/broadcasts/{found['broadcast_id']}"))[1]
        return {
            "states": [list(row) for row in states], "uneven": uneven, "people": people,
            "journal": await journal.summary(), "progress": progress, "seconds": round(took, 1),
        }  # fmt: skip


def test_whatever_is_killed_each_recipient_ends_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Running(tmp_path / "data") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        found = asyncio.run(_broadcast(running))
        audit = subprocess.run(
            [sys.executable, "-m", "analytics.audit", "--quiescent"],
            env=running.environment, capture_output=True, check=False,
        )  # fmt: skip
    journal, states = found["journal"], found["states"]
    ambiguous = sum(count for *_, reason, count in states if reason == "ambiguous")
    print(json.dumps({**found, "ambiguous": ambiguous, "recipients": RECIPIENTS}, default=str))
    assert audit.returncode == 0, audit.stdout.decode()
    assert found["uneven"] == 0
    assert found["people"] == found["progress"]["told"] == RECIPIENTS
    delivered = sum(
        c for channel, state, _, c in states if (channel, state) == ("push", "delivered")
    )
    # promotion is not repeated when its answer was lost: nobody twice, and what the provider has
    # and the books do not are at most the ambiguous ones
    assert journal["duplicates"] == 0
    accepted = journal["accepted"]["apns"] + journal["accepted"]["fcm"]
    assert delivered <= accepted <= delivered + ambiguous
