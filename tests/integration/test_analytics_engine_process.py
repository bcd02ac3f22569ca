"""The embedded engine as a process: what it keeps, whom it refuses, how it ends."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tests.integration.clickhouse import PASSWORD, start_engine, stop
from tests.integration.conftest import free_port, wait_until

pytestmark = pytest.mark.integration

ROWS = 2_000
TABLE = (
    "CREATE TABLE IF NOT EXISTS t (block UInt32, n UInt32, text String) ENGINE = MergeTree"
    " ORDER BY (block, n) SETTINGS non_replicated_deduplication_window = 1000"
)


class Engine:
    """One data directory, and the process over it: started, killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home, self.path, self.port = home, home / "data", free_port()
        self.process = start_engine(self.port, self.path, home)

    def client(self) -> Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username="tocsin", password=PASSWORD
        )

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def again(self) -> None:
        self.process = start_engine(self.port, self.path, self.home)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    yield made
    made.process.terminate()
    made.process.communicate(timeout=20)


def insert(client: Client, block: int) -> None:
    """Block number `block`, with its own token."""
    columns: list[list[object]] = [[block] * ROWS, [*range(ROWS)], ["x" * 100] * ROWS]
    client.insert(
        "t", columns, ["block", "n", "text"], column_oriented=True,
        settings={"insert_deduplication_token": f"t:0:{block}"},
    )  # fmt: skip


def test_kill_9_loses_nothing_acknowledged_and_a_resent_block_counts_once(engine: Engine) -> None:
    with_table = engine.client()
    with_table.command(TABLE)
    acknowledged: list[int] = []

    def write() -> None:
        client = engine.client()
        try:
            for block in range(len(acknowledged), 10_000):
                insert(client, block)
                acknowledged.append(block)
        except ClickHouseError:
            pass

    for killed_after in (5, 12, 20):
        thread = threading.Thread(target=write)
        thread.start()
        wait_until(lambda n=killed_after: len(acknowledged) >= n)  # type: ignore[misc]
        engine.kill()
        thread.join()
        engine.again()
        # the one block that was on its way may or may not be there: it is sent again
        client = engine.client()
        insert(client, len(acknowledged))
        acknowledged.append(len(acknowledged))
        assert client.command("SELECT count() FROM t") == len(acknowledged) * ROWS
        assert client.command("SELECT uniqExact(block, n) FROM t") == len(acknowledged) * ROWS


def test_sigterm_lets_what_was_accepted_finish(engine: Engine) -> None:
    answers: list[object] = []

    def ask() -> None:
        answers.append(engine.client().query("SELECT sleep(2)").result_rows)

    client = engine.client()
    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(
        lambda: (
            client.command("SELECT count() FROM system.processes WHERE query LIKE '%sleep(2)%'")
            == 2
        )
    )
    engine.process.terminate()
    thread.join()
    assert answers == [[(0,)]]
    assert engine.process.wait(20) == 0


def _refused(process: "subprocess.Popen[str]") -> str:
    """The one line of a process that did not start."""
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 3, output
    (line,) = output.splitlines()
    return str(line)


def test_a_directory_is_opened_by_one_process(engine: Engine, tmp_path: Path) -> None:
    line = _refused(start_engine(free_port(), engine.path, tmp_path / "other"))
    assert str(engine.path) in line
    assert "stop that one first" in line


def test_a_port_is_taken_by_one_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        line = _refused(start_engine(port, tmp_path / "data", tmp_path / "run"))
    assert f"127.0.0.1:{port}" in line
    assert "taken" in line


def test_a_damaged_directory_is_named_with_the_next_step(engine: Engine) -> None:
    engine.client().command(TABLE)
    stop(engine.process)
    for definition in engine.path.glob("store/*/*/t.sql"):
        definition.write_text("no longer SQL")
    engine.again()
    line = _refused(engine.process)
    assert str(engine.path) in line
    assert "SYNTAX_ERROR" in line
    assert "restore a copy, or move it away" in line


def test_a_path_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    line = _refused(start_engine(free_port(), tmp_path / "data", tmp_path / "run"))
    assert f"the data directory {tmp_path / 'data'}" in line


def test_a_damaged_part_is_set_aside_and_said(engine: Engine) -> None:
    client = engine.client()
    client.command(TABLE)
    insert(client, 0)
    insert(client, 1)
    stop(engine.process)
    parts = sorted(engine.path.glob("store/*/*/all_*/columns.txt"))
    parts[0].write_text("no columns")
    engine.again()
    assert engine.client().command("SELECT count() FROM t") == ROWS
    assert "1 damaged parts set aside" in stop(engine.process)
