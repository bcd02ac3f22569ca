"""The command line: what it says, what it writes, how it ends."""

import json
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from loadtest.replay.__main__ import main
from loadtest.replay.calls import pause
from loadtest.replay.phones import code_in
from loadtest.replay.sample import popular, sample
from loadtest.replay.screen import Screen
from loadtest.replay.shop import timeline
from loadtest.replay.tally import Tally
from tests.unit.loadtest.test_shop import SAMPLE, row

app = typer.Typer()
app.command()(main)
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def test_a_dry_run_shows_and_writes_what_the_file_comes_to(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    ran = CliRunner().invoke(app, [str(SAMPLE), "--dry-run", "--report", str(report)])
    assert ran.exit_code == 0, ran.output
    assert "880" in ran.output
    assert json.loads(report.read_text()) == {
        "rows": 2_000, "bad_rows": 0, "customers": 576, "inventory_records": 2_140,
        "restocks": 140, "signups": 880, "otps": 721, "verified_otps": 0, "refused": 0,
        "notifications": {"ORDER_CONFIRMATION": 763, "ORDER_UPDATE": 28}, "seconds": 0.0,
    }  # fmt: skip


def test_limit_and_initial_stock_change_what_it_comes_to(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--dry-run", "--limit", "100", "--initial-stock", "1000000", "--report", str(report)]
    CliRunner().invoke(app, [str(SAMPLE), *options])
    found = json.loads(report.read_text())
    assert (found["rows"], found["inventory_records"], found["signups"]) == (100, 100, 0)


def test_bad_rows_are_shown_with_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(f"{HEADER}\n1,2,[red]X,three,2010-12-01,1.0,7,France\n" + "short\n" * 30)
    ran = CliRunner().invoke(app, [str(path), "--dry-run"])
    assert ran.exit_code == 0
    assert "line 2: Quantity: 'three' is not a whole number" in ran.output
    assert "line 3: 1 columns, not 8" in ran.output
    assert "and 11 more bad rows" in ran.output


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_a_file_that_cannot_be_read_is_one_line_and_exit_2(tmp_path: Path, name: str) -> None:
    ran = CliRunner().invoke(app, [str(tmp_path / name), "--dry-run"])
    assert ran.exit_code == 2
    assert len(ran.output.strip().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    where = str(tmp_path / "no" / "r.json")
    ran = CliRunner().invoke(app, [str(SAMPLE), "--dry-run", "--report", where])
    assert ran.exit_code == 2
    assert "cannot be written" in ran.output


@pytest.mark.parametrize("speed", ["-1", "nan", "inf"])
def test_a_speed_that_is_none_is_refused(speed: str) -> None:
    ran = CliRunner().invoke(app, [str(SAMPLE), "--dry-run", f"--speed={speed}"])
    assert ran.exit_code == 2


def test_off_a_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("loadtest.replay.screen.time.monotonic", lambda: now)
    tally = Tally.of(timeline([row()]))
    with Screen(Console(), tally, 7) as screen:
        screen.show(tally, 1)
        assert capsys.readouterr().out == ""
        now += 60
        screen.show(tally, 1)
        screen.show(tally, 1)
    assert capsys.readouterr().out == (
        "replay: row 1 of 7; 1 customers, 1 stock changes, 0 sign-ups, 1 orders and returns, "
        "1 log-ins\n"
    )


def test_on_a_terminal_progress_is_bars(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally.of(timeline([row()]))
    with Screen(Console(force_terminal=True), tally, 7) as screen:
        screen.show(tally, 7)
    out = capsys.readouterr().out
    assert "Stock changes" in out
    assert "7/7" in out


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (
            {"type": "OTP", "text": "123456 is your Tocsin Shop code. Valid for 5 minutes."},
            "123456",
        ),
        ({"type": "", "text": "Your code: 12345678"}, "12345678"),
        ({"type": "ORDER_UPDATE", "text": "order 536365: your code"}, None),
        ({"text": "Shop, order 536365: We have your return"}, None),
        ({"type": "OTP", "text": None}, None),
        ({"type": "OTP", "text": "no code here: 123456789"}, None),
    ],
)
def test_a_code_is_told_from_an_order_number(message: dict[str, str], code: str | None) -> None:
    assert code_in(message) == code


def test_pauses_grow_to_a_bound_and_heed_what_was_asked() -> None:
    assert [pause(tries, None, 1.0) for tries in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert pause(0, None, 0.0) == 0.05
    assert pause(0, 3.0, 0.0) == 3.0
    assert pause(0, 86_400.0, 0.0) == 30.0


def test_the_sample_takes_the_most_sold_codes_that_fit_whole() -> None:
    codes = ["a"] * 5 + ["b"] * 4 + ["c"] * 2 + ["d"]
    assert popular(codes, 8) == {"a", "c", "d"}


def test_the_sample_keeps_cells_and_order() -> None:
    text = f'{HEADER}\n1,9,"A, B",1,x,2,,F\n2,8,C,1,x,2,,F\n3,9,D,1,x,2,,F\n'
    assert sample(text, rows=2) == f'{HEADER}\n1,9,"A, B",1,x,2,,F\n3,9,D,1,x,2,,F\n'
