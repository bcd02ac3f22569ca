"""kill -9 of the Faust worker, a Ray sender and the analytics writer in the middle of a replay:
nothing lost, nothing told twice, the books balance. After that, a small day of the load on it.

TOCSIN_TEST_SALES names another sales file than the bundled sample.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.hand_over import IN_FLIGHT
from loadtest.bench.journal import Journal
from loadtest.bench.running import Running
from loadtest.load import shapes
from loadtest.load.run_dir import Asked, Latencies, Run, RunDir, Verdict
from tests.integration.conftest import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

VICTIMS = (("streams-1", "writer"), ("sender-email-0", "sender-push-0"))
"""Who dies at the same moment; nobody here does another's work."""
IN_THE_MIDDLE = 100
SAMPLE = Path(__file__).parents[2] / "loadtest" / "data" / "online-retail-sample.csv.gz"
SALES = Path(os.environ.pop("TOCSIN_TEST_SALES", str(SAMPLE)))


def _summary(running: Running) -> dict[str, Any]:
    argv = [sys.executable, "-m", "analytics.summary", "--json"]
    done = subprocess.run(argv, env=running.environment, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def _expected(directory: Path) -> dict[str, Any]:
    report = directory / "expected.json"
    argv = [sys.executable, "-m", "loadtest.replay", str(SALES), "--dry-run"]
    subprocess.run([*argv, "--report", str(report)], check=True, stdout=subprocess.DEVNULL)
    return dict(json.loads(report.read_text()))


async def _journal(url: str) -> dict[str, Any]:
    async with Journal(url) as journal:
        return await journal.summary()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One system for what is done to it here."""
    with Running(tmp_path_factory.mktemp("kill") / "data") as running:
        yield running


def test_what_is_killed_in_the_middle_loses_nothing(running: Running, tmp_path: Path) -> None:
    told = _expected(tmp_path)
    once = {**told["notifications"], "BACK_IN_STOCK": told["signups"], "OTP": told["otps"]}
    notifications = {name: count * len(VICTIMS) for name, count in once.items()}
    # each pair dies in the middle of a replay of its own, so that there is a middle on a fast
    # machine too
    for victims in VICTIMS:
        told_before = _told(running)
        argv = [sys.executable, "-m", "loadtest.replay", str(SALES), "--run", victims[0]]
        with subprocess.Popen(
            [*argv, "--speed", "0"], env=running.environment, stdout=subprocess.DEVNULL
        ) as replay:
            wait_until(lambda: _told(running) >= told_before + IN_THE_MIDDLE, 120)  # noqa: B023
            pids = [running.pid(victim) for victim in victims]
            assert all(pids), pids
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            assert replay.wait(300) == 0
    found = _settled(running, notifications)
    audit = subprocess.run(
        [sys.executable, "-m", "analytics.audit"], env=running.environment, capture_output=True
    )
    journal = asyncio.run(_journal(running.environment["TOCSIN_SANDBOX_URL"]))
    assert found["notifications"] == notifications
    assert found["failed"] == found["expired"] == found["suppressed"] == 0, found
    assert audit.returncode == 0, audit.stdout.decode()
    print(json.dumps({"delivered": found["delivered"], "sandbox": journal}))
    by_channel = found["by_channel"]
    # a send whose answer died with the sender is made again, with the same id: never more of them
    # than were under way at each of the two senders, in the two lanes that a replay uses
    under_way = 2 * IN_FLIGHT
    assert journal["duplicates"] <= 2 * under_way
    assert journal["accepted"]["smtp"] - by_channel["email"]["delivered"] in range(under_way + 1)
    assert journal["accepted"]["twilio"] == by_channel["sms"]["delivered"]


def test_a_small_day_of_the_load_is_asked_and_checked(running: Running, tmp_path: Path) -> None:
    """All is asked and nothing is wrong; the other gates hang on the machine's speed."""
    data, out = Path(running.environment["TOCSIN_DATA_DIR"]), tmp_path / "run"
    argv = [sys.executable, "-m", "loadtest.load", "--scale", "0.00002", "--seconds", "6"]
    target = ["--target", running.environment["TOCSIN_PUBLIC_URL"], "--data", str(data)]
    done = subprocess.run([*argv, *target, "--out", str(out)], capture_output=True, text=True)
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr
    plan, run_dir = shapes.plan("day", 0.00002, 6), RunDir(out)
    asked = [
        msgspec.json.decode(line, type=Asked)
        for line in run_dir.asked("0").read_bytes().splitlines()
    ]
    told = [line for line in asked if line.kind == "notification"]
    assert len({line.id for line in told}) == len(told) == plan.notifications, done.stdout
    assert {line.outcome for line in told} <= {"accepted", "unknown"}
    books = msgspec.json.decode(run_dir.latencies("0").read_bytes(), type=Latencies)
    for flow in plan.flows:
        assert books.streams[flow.stream].begun == books.streams[flow.stream].intended == flow.calls
    run = msgspec.json.decode(run_dir.run.read_bytes(), type=Run)
    assert run.load_ended_at
    assert run.quiet_at
    assert not run.broken_off
    verdict = msgspec.json.decode(run_dir.verdict.read_bytes(), type=Verdict)
    assert verdict.accepted
    assert {name: fault.count for name, fault in verdict.faults.items() if fault.count} == {}
    assert run_dir.page.exists()


def _told(running: Running) -> int:
    """How many messages the providers have taken."""
    url = running.environment["TOCSIN_SANDBOX_URL"]
    return sum(asyncio.run(_journal(url))["accepted"].values())


def _settled(running: Running, notifications: dict[str, int]) -> dict[str, Any]:
    end = time.monotonic() + 300
    while True:
        found = _summary(running)
        if found["notifications"] == notifications and not found["in_flight"]:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.5)
