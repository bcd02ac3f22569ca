"""The whole system as a stranger starts it: a shop's sales in, every notification accounted for."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SAMPLE = Path(__file__).parents[2] / "loadtest" / "data" / "online-retail-sample.csv.gz"
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}


def expected(directory: Path) -> dict[str, int]:
    """What the sample comes to by the published rules: the replay tells without a system."""
    report = directory / "expected.json"
    command = [sys.executable, "-m", "loadtest.replay", str(SAMPLE), "--dry-run"]
    subprocess.run(
        [*command, "--report", str(report)], check=True, env=ENVIRON, stdout=subprocess.DEVNULL
    )
    found: dict[str, int] = json.loads(report.read_text())
    return found


def processes_of(data_dir: Path) -> list[str]:
    """Command lines of living processes that name the directory, or have it in their settings."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join([*process.cmdline(), process.environ().get("TOCSIN_DATA_DIR", "")])
            lives = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:  # it ended while it was looked at
            continue
        if lives and str(data_dir) in text:
            found.append(text[:200])
    return found


def test_a_replay_ends_with_every_notification_accounted_for_and_nothing_left(
    tmp_path: Path,
) -> None:
    data, summary = tmp_path / "data", tmp_path / "summary.json"
    command = [sys.executable, "-m", "tocsin.cli.main", "up", "--data", str(data)]
    process = subprocess.Popen(
        [*command, "--replay", str(SAMPLE), "--exit-when-done", "--summary", str(summary)],
        env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=500)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0, said
    counted, told = json.loads(summary.read_text()), expected(tmp_path)
    assert counted["in_flight"] == 0
    ended = ("delivered", "failed", "suppressed", "expired", "cancelled")
    assert counted["accepted"] == sum(counted[state] for state in ended)
    notifications = counted["notifications"]
    assert notifications["OTP"] == told["otps"]
    assert notifications["BACK_IN_STOCK"] == counted["signups"] == told["signups"]
    for kind in ("ORDER_CONFIRMATION", "ORDER_UPDATE"):
        assert notifications[kind] == told["notifications"][kind]  # type: ignore[index]
    assert counted["inventory_records"] == told["inventory_records"]
    assert processes_of(data) == []
