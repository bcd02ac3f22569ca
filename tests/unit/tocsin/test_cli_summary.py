"""The summary: ClickHouse's counts, the replay's own, and the whole's pace."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from tocsin.cli.summary import merge, table, write
from tocsin.errors import ConfigError

COUNTED = {
    "accepted": 10, "delivered": 6, "failed": 1, "suppressed": 2, "expired": 1, "cancelled": 0,
    "in_flight": 0, "by_channel": {"push": {"delivered": 6}}, "inventory_records": 45,
    "notifications": {"OTP": 4}, "otp_ms": {"p50": 1.5, "p95": 2.0, "p99": None},
}  # fmt: skip


def test_the_replay_adds_what_only_it_knows() -> None:
    merged = merge(COUNTED, {"signups": 7, "bad_rows": 2, "rows": 99, "inventory_records": 1}, 4)
    assert (merged["signups"], merged["bad_rows"]) == (7, 2)
    assert merged["inventory_records"] == 45
    assert "rows" not in merged


def test_the_pace_is_of_deliveries_ended_over_the_whole_time() -> None:
    merged = merge(COUNTED, None, 4)
    assert (merged["seconds"], merged["throughput_per_s"]) == (4, 2.5)
    assert merge(COUNTED, None, 0)["throughput_per_s"] == 0


def test_it_is_written_whole_or_refused_in_one_line(tmp_path: Path) -> None:
    write(tmp_path / "s.json", COUNTED)
    assert json.loads((tmp_path / "s.json").read_text()) == COUNTED
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]
    with pytest.raises(ConfigError, match="--summary"):
        write(tmp_path / "no" / "s.json", COUNTED)


def test_the_table_shows_every_number() -> None:
    console = Console(width=100, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(COUNTED))
    shown = console.export_text()
    console.file.close()
    for word in ("in flight", "by channel · push", "delivered 6", "otp ms · p99", "–"):
        assert word in shown
