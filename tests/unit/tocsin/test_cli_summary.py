"""The summary: ClickHouse's counts, the replay's own, and the whole's pace."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tocsin.cli.summary import merge, tables, write
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
    assert merge(COUNTED, None, 4, before=6)["throughput_per_s"] == 1
    assert merge(COUNTED, None, 0)["throughput_per_s"] == 0


def test_it_is_written_whole_or_refused_in_one_line(tmp_path: Path) -> None:
    write(tmp_path / "s.json", COUNTED)
    assert json.loads((tmp_path / "s.json").read_text()) == COUNTED
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]
    with pytest.raises(ConfigError, match="--summary"):
        write(tmp_path / "no" / "s.json", COUNTED)


def test_the_tables_show_every_number() -> None:
    out = StringIO()
    Console(width=120, file=out).print(tables(COUNTED))
    shown = out.getvalue()
    assert "│ push    │        0 │         6 │" in shown
    assert "│ all     │       10 │         6 │      1 │" in shown
    for word in ("notifications · OTP", "otp ms · p99", "–", "45"):
        assert word in shown
