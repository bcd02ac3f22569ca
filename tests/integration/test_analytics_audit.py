"""The audit finds every kind of drift, and tells it from what is only unfinished."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.audit import Report, audit
from analytics.client import place
from analytics.summary import summary
from analytics.writer.rows import Request
from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    INVENTORY,
    REQUESTS,
    milliseconds,
)
from tests.integration.clickhouse import environment
from tests.integration.test_analytics_schema import AT, insert, outcome
from tocsin.records import DeadLetter, InventoryChange, State
from tocsin.settings import Settings

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(microsecond=0)
YOUNG, OLD = NOW - timedelta(minutes=5), NOW - timedelta(days=2)


def request(name: str, at: datetime = YOUNG, due: datetime | None = None) -> Request:
    times = milliseconds(at), milliseconds(due or at)
    return Request(name, "u", "SALE_OFFER", *times, "notification.requests", 3, 17)


@pytest.fixture
async def sound(clickhouse: AsyncClient) -> AsyncClient:
    """Balanced books: three notifications, four deliveries, every one ended once."""
    await insert(clickhouse, REQUESTS, *(request(n) for n in ("a", "b", "s")))
    opened = [("a", "push"), ("a", "sms"), ("b", "push")]
    await insert(clickhouse, ACCEPTED, *(outcome(n, State.ACCEPTED, c) for n, c in opened))
    await insert(clickhouse, DELIVERIES, *(outcome(n, State.DELIVERED, c) for n, c in opened))
    # ended by the router itself: no opening, but it was asked for
    await insert(clickhouse, DELIVERIES, outcome("s", State.SUPPRESSED))
    return clickhouse


def found(report: Report) -> dict[str, tuple[int, list[str]]]:
    return {f.kind: (f.count, [each.id for each in f.first]) for f in report.findings}


async def test_balanced_books_have_no_findings(sound: AsyncClient) -> None:
    report = await audit(sound, NOW, quiescent=True)
    assert (report.findings, report.drift) == ((), 0)
    assert sum(book["accepted"] for book in report.books) == 4


async def test_two_different_ends_are_a_conflict(sound: AsyncClient) -> None:
    await insert(sound, DELIVERIES, outcome("a", State.FAILED, "sms"))
    report = await audit(sound, NOW)
    assert found(report) == {"conflict": (1, ["a:sms"])}
    assert report.findings[0].first[0].detail == "delivered, failed"
    assert report.drift == 1


async def test_an_end_nobody_asked_for_is_a_phantom_once_it_has_settled(sound: AsyncClient) -> None:
    await insert(sound, DELIVERIES, outcome("ghost", State.DELIVERED, at=YOUNG))
    await insert(sound, DELIVERIES, outcome("new", State.DELIVERED, at=NOW))
    report = await audit(sound, NOW)
    assert found(report) == {"phantom": (1, ["ghost:push"]), "unsettled": (1, ["new:push"])}
    assert report.drift == 1
    assert found(await audit(sound, NOW, quiescent=True)) == {
        "phantom": (2, ["ghost:push", "new:push"])
    }


async def test_what_has_not_ended_is_in_flight_and_after_a_day_lost(sound: AsyncClient) -> None:
    await insert(sound, ACCEPTED, outcome("young", State.ACCEPTED, accepted_at=YOUNG))
    assert found(await audit(sound, NOW)) == {"in_flight": (1, ["young:push"])}
    assert (await audit(sound, NOW)).drift == 0
    assert (await audit(sound, NOW, lost_after=timedelta(minutes=1))).drift == 1
    assert (await audit(sound, NOW, quiescent=True)).drift == 1
    await insert(sound, ACCEPTED, outcome("old", State.ACCEPTED, accepted_at=OLD))
    report = await audit(sound, NOW)
    assert found(report) == {
        "in_flight": (1, ["young:push"]),
        "lost_delivery": (1, ["old:push"]),
    }
    assert [finding.oldest for finding in report.findings] == [YOUNG, OLD]


async def test_a_request_nobody_routed_is_lost_a_day_after_it_was_due(sound: AsyncClient) -> None:
    await insert(sound, REQUESTS, request("forgotten", OLD), request("waits", OLD, due=NOW))
    report = await audit(sound, NOW)
    assert found(report) == {"lost_request": (1, ["forgotten"]), "unrouted": (1, ["waits"])}
    assert "notification.requests:3:17" in report.findings[0].first[0].detail


async def test_a_deferred_delivery_is_lost_a_day_after_its_hour(sound: AsyncClient) -> None:
    hours = {"ahead": NOW + timedelta(days=9), "recent": NOW - timedelta(hours=2), "past": OLD}
    for name, due in hours.items():
        opened = outcome(name, State.ACCEPTED, accepted_at=OLD - timedelta(days=3), at=OLD)
        at = OLD - timedelta(days=2)
        wait = outcome(name, State.DEFERRED, at=at, due_at=due, reason="quiet_hours")
        await insert(sound, ACCEPTED, opened)
        await insert(sound, DECISIONS, wait)
    report = await audit(sound, NOW)
    assert found(report) == {
        "in_flight": (2, ["ahead:push", "recent:push"]), "lost_delivery": (1, ["past:push"]),
    }  # fmt: skip
    detail = report.findings[0].first[0].detail
    assert detail.startswith("SALE_OFFER by push, deferred until 20")
    assert detail.endswith(": quiet_hours")
    assert found(await audit(sound, NOW, quiescent=True))["lost_delivery"][0] == 3


async def test_the_newest_wait_is_what_counts(sound: AsyncClient) -> None:
    await insert(sound, ACCEPTED, outcome("n", State.ACCEPTED, accepted_at=OLD, at=OLD))
    first = outcome("n", State.DEFERRED, at=OLD, due_at=NOW + timedelta(days=30))
    sooner = outcome("n", State.DEFERRED, at=OLD + timedelta(hours=1), due_at=OLD)
    await insert(sound, DECISIONS, first)
    assert found(await audit(sound, NOW)) == {"in_flight": (1, ["n:push"])}
    await insert(sound, DECISIONS, sooner)
    assert found(await audit(sound, NOW)) == {"lost_delivery": (1, ["n:push"])}


async def test_a_retry_a_moment_ago_is_a_sign_of_life(sound: AsyncClient) -> None:
    await insert(sound, ACCEPTED, outcome("n", State.ACCEPTED, accepted_at=OLD, at=OLD))
    await insert(sound, DECISIONS, outcome("n", State.RETRY, at=YOUNG, reason="503"))
    assert found(await audit(sound, NOW)) == {"in_flight": (1, ["n:push"])}


async def test_a_request_that_waits_before_it_is_opened_is_not_lost(sound: AsyncClient) -> None:
    await insert(sound, REQUESTS, request("n", OLD))
    due = NOW + timedelta(hours=5)
    await insert(sound, DECISIONS, outcome("n", State.DEFERRED, at=OLD, due_at=due))
    report = await audit(sound, NOW)
    assert found(report) == {"unrouted": (1, ["n"])}
    assert "waits until" in report.findings[0].first[0].detail


async def test_a_dead_request_is_accounted_for(sound: AsyncClient) -> None:
    await insert(sound, REQUESTS, request("bad", OLD), request("fine", OLD))
    dead = DeadLetter(
        "notification.requests", 3, 17, "Invalid", "is required", "e30=", YOUNG,
        field="data.currency", notification_id="bad",
    )  # fmt: skip
    await insert(sound, DEAD_LETTERS, dead)
    report = await audit(sound, NOW, quiescent=True)
    assert found(report) == {"dead": (1, ["bad"]), "lost_request": (1, ["fine"])}
    assert report.drift == 1
    (example,) = report.findings[0].first
    assert example.since == YOUNG
    assert example.detail == (
        "SALE_OFFER at notification.requests:3:17, Invalid: data.currency: is required"
    )


async def test_put_back_and_routed_it_is_accounted_for_once(sound: AsyncClient) -> None:
    await insert(sound, REQUESTS, request("bad"))
    letter = DeadLetter(
        "notification.requests", 3, 17, "Invalid", "r", "e30=", YOUNG, notification_id="bad"
    )
    await insert(sound, DEAD_LETTERS, letter)
    await insert(sound, REQUESTS, request("bad")._replace(offset=18))
    await insert(sound, ACCEPTED, outcome("bad", State.ACCEPTED))
    await insert(sound, DELIVERIES, outcome("bad", State.DELIVERED))
    report = await audit(sound, NOW, quiescent=True)
    assert report.findings == ()
    assert sum(book["accepted"] for book in report.books) == 5


async def test_every_id_is_told_when_asked_for(
    sound: AsyncClient, clickhouse_settings: Settings
) -> None:
    rows = [outcome(f"n{i:02}", State.ACCEPTED, accepted_at=OLD) for i in range(30)]
    await insert(sound, ACCEPTED, *rows)
    await insert(sound, ACCEPTED, outcome("young", State.ACCEPTED, accepted_at=YOUNG))
    every = [f"n{i:02}:push" for i in range(30)]
    assert found(await audit(sound, NOW, every_id=True)) == {
        "in_flight": (1, ["young:push"]), "lost_delivery": (30, every),
    }  # fmt: skip
    told = json.loads(run("analytics.audit", clickhouse_settings, "--json").stdout)
    (lost,) = [f for f in told["findings"] if f["kind"] == "lost_delivery"]
    assert [each["id"] for each in lost["first"]] == every
    few, all_ = (run("analytics.audit", clickhouse_settings, *a).stdout for a in ((), ("--all",)))
    assert "lost_delivery: the oldest 20" in few
    assert ("n19:push" in few, "n20:push" in few) == (True, False)
    assert all(each in all_ for each in every)


async def test_the_first_twenty_are_named_oldest_first(sound: AsyncClient) -> None:
    rows = [
        outcome(f"n{i:02}", State.ACCEPTED, accepted_at=OLD + timedelta(seconds=i))
        for i in range(30)
    ]
    await insert(sound, ACCEPTED, *rows)
    assert found(await audit(sound, NOW))["lost_delivery"] == (
        30,
        [f"n{i:02}:push" for i in range(20)],
    )


def run(module: str, settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment(settings), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


async def test_the_command_exits_with_1_on_drift(
    sound: AsyncClient, clickhouse_settings: Settings
) -> None:
    fine = run("analytics.audit", clickhouse_settings)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert "no drift" in fine.stdout
    await insert(sound, DELIVERIES, outcome("a", State.FAILED, "sms"))
    drift = run("analytics.audit", clickhouse_settings, "--json")
    assert (drift.returncode, drift.stderr) == (1, "")
    told = json.loads(drift.stdout)
    assert (told["drift"], told["in_flight"]) == (1, 0)
    assert told["findings"][0]["first"][0]["id"] == "a:sms"
    assert "a:sms" in run("analytics.audit", clickhouse_settings).stdout


async def test_the_commands_name_a_missing_engine(tmp_path: Any) -> None:
    nowhere = Settings(clickhouse_url="clickhouse://u:p@127.0.0.1:1/tocsin", data_dir=tmp_path)
    for module in ("analytics.audit", "analytics.summary", "analytics.migrate"):
        answer = run(module, nowhere)
        assert answer.returncode == 3
        (line,) = answer.stderr.splitlines()
        assert "ClickHouse does not answer at 127.0.0.1:1: start it" in line


async def test_a_wrong_password_is_said_to_be_one(clickhouse_settings: Settings) -> None:
    at = place(clickhouse_settings)
    url = f"clickhouse://{at.user}:{at.password}-not@{at}/tocsin"
    answer = run("analytics.audit", Settings(clickhouse_url=url))
    assert answer.returncode == 3
    assert "it refuses the user or password in TOCSIN_CLICKHOUSE_URL" in answer.stderr


async def test_the_summary_has_the_fields_of_the_interface(
    sound: AsyncClient, clickhouse_settings: Settings
) -> None:
    codes = [
        outcome(f"c{i}", State.DELIVERED, "sms", type="OTP", accepted_at=YOUNG,
                at=YOUNG + timedelta(milliseconds=i))
        for i in (1, 2, 3)
    ]  # fmt: skip
    await insert(sound, DELIVERIES, *codes)
    await insert(sound, INVENTORY, InventoryChange("e", "sku", YOUNG, available=1))
    told = json.loads(run("analytics.summary", clickhouse_settings, "--json").stdout)
    assert told == await summary(sound)
    assert told == {
        "accepted": 7, "delivered": 3, "failed": 0, "suppressed": 1, "expired": 0, "cancelled": 0,
        "in_flight": 0,
        "by_channel": {
            channel: dict.fromkeys(
                ("accepted", "delivered", "failed", "suppressed", "expired", "cancelled",
                 "in_flight"), 0) | counts
            for channel, counts in {
                "inapp": {}, "push": {"accepted": 3, "delivered": 2, "suppressed": 1},
                "sms": {"accepted": 4, "delivered": 1}, "email": {},
            }.items()
        },
        "notifications": {"OTP": 3, "SALE_OFFER": 3},
        "inventory_records": 1,
        "otp_ms": {"p50": 2, "p95": 3, "p99": 3},
    }  # fmt: skip


async def test_the_summary_of_nothing_is_zeros(clickhouse: AsyncClient) -> None:
    told = await summary(clickhouse)
    assert (told["accepted"], told["notifications"]) == (0, {})
    assert told["otp_ms"] == {"p50": None, "p95": None, "p99": None}


async def test_sql_answers_as_a_table_or_in_any_format(
    sound: AsyncClient, clickhouse_settings: Settings
) -> None:
    question = "SELECT state, count() AS n FROM tocsin.deliveries FINAL GROUP BY state ORDER BY n"
    table = run("analytics.sql", clickhouse_settings, question).stdout
    assert "suppressed" in table
    assert "state" in table
    csv = run("analytics.sql", clickhouse_settings, question, "--format", "CSV").stdout
    assert csv == '"suppressed",1\n"delivered",3\n'
    wrong = run("analytics.sql", clickhouse_settings, "SELECT nothing")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "UNKNOWN_IDENTIFIER" in wrong.stderr
    refused = run("analytics.sql", clickhouse_settings, "DROP TABLE tocsin.deliveries")
    assert refused.returncode == 1
    assert "READONLY" in refused.stderr


async def test_questions_are_asked_by_name(
    sound: AsyncClient, clickhouse_settings: Settings
) -> None:
    def ask(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return run("analytics.sql", clickhouse_settings, *arguments)

    when = f"until={(AT + timedelta(hours=1)).isoformat()}"
    csv = ask("--named", "failure_reasons", "--param", "state=suppressed", "--param", when,
              "--param", "hours=48", "--format", "CSV").stdout  # fmt: skip
    assert csv.count("\n") == 1
    assert "channel" in ask("--named", "funnel", "--param", when).stdout
    assert "{hours:UInt32}" in ask("--named", "funnel", "--show").stdout
    assert "funnel: What became of messages" in ask("--list").stdout
    wrong = ask("--named", "funnel", "--param", "day=1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "day: there is no such parameter; there are hours, until, type" in wrong.stderr
    assert "there is no question 'x'" in ask("--named", "x").stderr
    assert "go with --named" in ask("SELECT 1", "--param", "a=1").stderr
    assert "tocsin sql --named funnel" in ask("--help").stdout
