"""The history checker against what it reads: a real sandbox's journal and a real ClickHouse."""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver import AsyncClient
from pyreqwest.client import ClientBuilder

from analytics.writer.rows import Told
from analytics.writer.tables import ACCEPTED, DECISIONS, DELIVERIES, WAVES, milliseconds
from loadtest.check import collect as collecting
from loadtest.check.checker import CLEAN, check, exit_code
from loadtest.check.collect import collect
from loadtest.check.quiet import Standing, until_quiet
from loadtest.check.records import Collected, Ended, Received, Wave
from loadtest.load.run_dir import Asked, Lines, Person, Run, RunDir
from tests.integration.test_analytics_schema import insert, outcome
from tests.integration.writing import produce
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.records import NotificationRequest, State, encode
from tocsin.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
PHONE = "+12025550123"


class _Texts:
    """SMS to the sandbox, as a sender would make them."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env, self.url = env, env["TOCSIN_SANDBOX_URL"]

    async def send(self, *deliveries: str) -> None:
        account = self._env["TOCSIN_TWILIO_ACCOUNT_SID"]
        url = f"{self.url}/2010-04-01/Accounts/{account}/Messages.json"
        async with ClientBuilder().build() as client:
            for delivery in deliveries:
                back = f"https://shop.example/r?delivery_id={delivery}&type=ORDER_UPDATE"
                form = {"To": PHONE, "From": "+12025550100", "Body": "x", "StatusCallback": back}
                asked = client.post(url).basic_auth(account, self._env["TOCSIN_TWILIO_AUTH_TOKEN"])
                answer = await asked.form(form).build().send()
                assert answer.status == 201, await answer.text()


def _lines(path: Path, *records: msgspec.Struct) -> None:
    lines = Lines(path)
    for record in records:
        lines.write(record)
    lines.close()


def _read(path: Path, kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
    return [msgspec.json.decode(line, type=kind) for line in path.read_bytes().splitlines()]


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    """A run that begins now."""
    made = RunDir(tmp_path / "run")
    made.path.mkdir()
    run = Run("r", "day", 1, 60, 1, "http://127.0.0.1", 1, time.time(), {})
    made.run.write_bytes(msgspec.json.encode(run))
    return made


async def test_what_was_received_and_how_it_ended_is_collected_page_by_page_and_judged(
    clickhouse: AsyncClient,
    clickhouse_settings: Settings,
    sandbox_env: dict[str, str],
    run_dir: RunDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for pages in ("_RECEIPTS", "_ROWS"):
        monkeypatch.setattr(collecting, pages, 3)
    texts, mark = _Texts(sandbox_env), uuid.uuid4().hex
    names = [f"{mark}-{n}" for n in range(10)]
    began, now = time.time(), datetime.now(UTC)
    await texts.send(*(f"{name}:sms" for name in names))
    sms = [
        outcome(name, State.DELIVERED, "sms", type="ORDER_UPDATE", accepted_at=now, at=now)
        for name in names
    ]
    await insert(clickhouse, DELIVERIES, *sms, *sms[:5])
    old = outcome("before", State.DELIVERED, accepted_at=now - timedelta(hours=1))
    acked = outcome(names[0], State.ACKED, accepted_at=now, at=now)
    told = [Told(milliseconds(now), f"sku-{n % 2}", name, 3) for n, name in enumerate(names)]
    await insert(clickhouse, DELIVERIES, old, acked)
    await insert(clickhouse, WAVES, *told)

    seen: dict[str, int] = {}
    found = await collect(
        run_dir, clickhouse_settings, texts.url, lambda name, lines: seen.update({name: lines})
    )

    receipts = [r for r in _read(run_dir.received, Received) if mark in r.delivery_id]  # type: ignore[attr-defined]
    assert [r.delivery_id for r in receipts] == [f"{name}:sms" for name in names]  # type: ignore[attr-defined]
    assert b'"text"' not in run_dir.received.read_bytes()
    ended = _read(run_dir.ended, Ended)
    assert sorted(e.delivery_id for e in ended) == sorted(f"{name}:sms" for name in names)  # type: ignore[attr-defined]
    assert ended[0].at == pytest.approx(now.timestamp(), abs=0.002)  # type: ignore[attr-defined]
    assert {(w.notification_id, w.sku) for w in _read(run_dir.waves, Wave)} == {  # type: ignore[attr-defined]
        (name, f"sku-{n % 2}") for n, name in enumerate(names)
    }
    assert seen == {"received.jsonl": found.received, "ended.jsonl": 10, "waves.jsonl": 10}
    assert found == Collected(len(_read(run_dir.received, Received)), 10, 10)

    _lines(run_dir.people, Person("u", (), PHONE))
    _lines(
        run_dir.asked("w"),
        *(
            Asked(
                "notification", "api", 1, began, began, time.time(), "accepted",
                id=name, user="u", type="ORDER_UPDATE", channels=("sms",),
            )
            for name in names
        ),
    )  # fmt: skip
    verdict = check(run_dir)
    assert exit_code(verdict) == CLEAN, verdict
    assert (verdict.accepted, verdict.received, verdict.by_state) == (10, 10, {"delivered": 10})


async def test_a_sandbox_that_does_not_answer_is_named(
    clickhouse_settings: Settings, run_dir: RunDir
) -> None:
    run_dir.collected.write_text("{}")
    with pytest.raises(EngineUnavailable, match=r"the sandbox does not answer at http"):
        await collect(run_dir, clickhouse_settings, "http://127.0.0.1:9")
    assert not run_dir.collected.exists(), "what was there is of an earlier collection"
    with pytest.raises(ConfigError, match=r"run\.json"):
        await collect(RunDir(run_dir.path / "other"), clickhouse_settings, "http://127.0.0.1:9")


async def test_nothing_is_quiet_while_a_delivery_has_no_end_unless_it_waits_for_its_hour(
    clickhouse: AsyncClient, pipeline: Settings
) -> None:
    now, seen = datetime.now(UTC), list[Standing]()
    assert await until_quiet(pipeline, 120, seen.append)
    assert seen[-1] == Standing(0, 0, 0)

    for name in ("flies", "waits"):
        await insert(clickhouse, ACCEPTED, outcome(name, State.ACCEPTED, accepted_at=now, at=now))
    await insert(clickhouse, DECISIONS, outcome("flies", State.RETRY, at=now, due_at=now))
    later = now + timedelta(hours=5)
    for name in ("waits", "not opened"):
        await insert(clickhouse, DECISIONS, outcome(name, State.DEFERRED, at=now, due_at=later))
    waiting = asyncio.create_task(until_quiet(pipeline, 120, seen.append))
    await _seen(lambda: Standing(0, 1, 2) in seen)
    assert not waiting.done()
    ended = outcome("flies", State.DELIVERED, accepted_at=now, at=now)
    await insert(clickhouse, DELIVERIES, ended)
    assert await waiting
    assert seen[-1] == Standing(0, 0, 2)


async def test_nothing_is_quiet_while_somebody_is_behind_on_the_log(
    clickhouse: AsyncClient, pipeline: Settings
) -> None:
    seen = list[Standing]()
    asked = encode(NotificationRequest("n", "u", "SALE_OFFER"))
    await produce(pipeline, [("notification.requests", 0, asked)])
    waiting = asyncio.create_task(until_quiet(pipeline, 120, seen.append))
    await _seen(lambda: len(seen) > 2)
    assert not waiting.done()
    waiting.cancel()
    assert all(standing.lag > 0 and standing.in_flight is None for standing in seen)
    assert not await until_quiet(pipeline, 0.5), "nobody reads it"


async def _seen(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)
