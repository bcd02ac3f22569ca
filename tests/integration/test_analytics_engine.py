"""The embedded engine as its clients see it: unmodified clickhouse-connect, curl, plain HTTP."""

import asyncio
import gzip
import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped]
import pytest
from aiohttp import ClientSession
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from analytics.client import Place, place
from tocsin.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def at(clickhouse_url: str) -> Place:
    return place(Settings(clickhouse_url=clickhouse_url))


@pytest.fixture
def writer(at: Place) -> Iterator[Client]:
    """Exactly what anybody would write; a table `t` of its own."""
    client = clickhouse_connect.get_client(
        host=at.host, port=at.port, username=at.user, password=at.password
    )
    client.command("CREATE DATABASE IF NOT EXISTS shop")
    client.command(
        "CREATE OR REPLACE TABLE shop.t (a UInt64, b LowCardinality(String),"
        " c DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    yield client
    client.close()


@pytest.fixture
def reader(at: Place) -> Iterator[Client]:
    client = clickhouse_connect.get_client(host=at.host, port=at.port, username="analyst")
    yield client
    client.close()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def http(
    at: Place,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    writer: bool = False,
    **fields: str,
) -> Answer:
    if writer:
        fields |= {"user": at.user, "password": at.password}
    url = f"http://{at}/?{urllib.parse.urlencode(fields)}"
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read())


def test_a_plain_client_writes_and_reads(writer: Client) -> None:
    rows = [[1, "x", datetime(2026, 1, 1, tzinfo=UTC)], [2, "y", datetime(2026, 1, 2, tzinfo=UTC)]]
    summary = writer.insert("shop.t", rows, column_names=["a", "b", "c"])
    assert summary.written_rows == 2
    result = writer.query("SELECT * FROM shop.t WHERE a >= {from:UInt64} ORDER BY a", {"from": 2})
    assert result.column_names == ("a", "b", "c")
    assert result.result_rows == [(2, "y", datetime(2026, 1, 2))]
    assert writer.command("SELECT count() FROM shop.t") == 2
    assert writer.query("SELECT * FROM shop.t LIMIT 0").column_names == ("a", "b", "c")
    assert writer.raw_query("SELECT 1 AS x", fmt="JSONEachRow") == b'{"x":1}\n'
    assert writer.query_df("SELECT b FROM shop.t ORDER BY a")["b"].tolist() == ["x", "y"]
    assert writer.query_arrow("SELECT a FROM shop.t ORDER BY a").to_pydict() == {"a": [1, 2]}
    assert writer.ping()


@pytest.mark.parametrize("compress", [True, False, "lz4", "zstd", "gzip"])
def test_a_plain_client_compresses_as_it_likes(at: Place, compress: bool | str) -> None:
    client = clickhouse_connect.get_client(
        host=at.host, port=at.port, username="analyst", compress=compress
    )
    rows = client.query("SELECT number, toString(number) FROM numbers(50000)").result_rows
    assert rows[-1] == (49_999, "49999")
    client.close()


@pytest.mark.parametrize("text", ["it's", "a\tb\\c\nd", "", "ünï ☃", "{x:String}"])
def test_parameters_arrive_as_they_were_given(reader: Client, text: str) -> None:
    assert reader.query("SELECT {x:String}", {"x": text}).result_rows == [(text,)]
    assert reader.query("SELECT %(x)s", {"x": text}).result_rows == [(text,)]


def test_raw_rows_are_inserted_in_any_format(writer: Client) -> None:
    writer.raw_insert("shop.t", ["a", "b"], b'{"a":5,"b":"z"}\n', fmt="JSONEachRow")
    writer.raw_insert("shop.t", ["a", "b"], gzip.compress(b"6,w\n"), fmt="CSV", compression="gzip")
    assert writer.query("SELECT a, b FROM shop.t ORDER BY a").result_rows == [(5, "z"), (6, "w")]


def test_the_same_token_is_inserted_once(writer: Client) -> None:
    for _ in range(3):
        writer.insert(
            "shop.t", [[1, "x"]], ["a", "b"], settings={"insert_deduplication_token": "t:0:0-1"}
        )
    writer.insert("shop.t", [[1, "x"]], ["a", "b"], settings={"insert_deduplication_token": "next"})
    assert writer.command("SELECT count() FROM shop.t") == 2


def test_errors_keep_their_number_and_name(writer: Client) -> None:
    with pytest.raises(DatabaseError) as unknown:
        writer.query("SELECT nothing FROM shop.t")
    assert (unknown.value.code, unknown.value.name) == (47, "UNKNOWN_IDENTIFIER")


def test_a_query_too_long_for_a_url_comes_as_a_form(writer: Client) -> None:
    wide = "SELECT " + ", ".join(f"{{p{i}:String}}" for i in range(300))
    values = {f"p{i}": "x" * 100 for i in range(300)}
    assert len(writer.query(wide, values).result_rows[0]) == 300


async def test_an_async_client_asks_several_things_at_once(at: Place, writer: Client) -> None:
    client = await clickhouse_connect.get_async_client(
        host=at.host, port=at.port, username=at.user, password=at.password
    )
    answers = await asyncio.gather(*(client.query(f"SELECT {i}, sleep(0.1)") for i in range(8)))
    assert [answer.result_rows for answer in answers] == [[(i, 0)] for i in range(8)]
    await client.insert("shop.t", [[7, 8], ["p", "q"]], ["a", "b"], column_oriented=True)
    async with await client.query_rows_stream("SELECT number FROM numbers(100000)") as stream:
        assert sum([row[0] async for row in stream]) == 4_999_950_000
    await client.close()
    assert writer.command("SELECT sum(a) FROM shop.t") == 15


def test_ping_and_an_empty_question_are_ok(at: Place) -> None:
    with urllib.request.urlopen(f"http://{at}/ping", timeout=5) as response:
        assert response.read() == b"Ok.\n"
    assert http(at) == http(at)._replace(status=200, body=b"Ok.\n")


@pytest.mark.parametrize(
    ("query", "content_type", "start"),
    [
        ("SELECT 1 AS n", "text/tab-separated-values", b"1\n"),
        ("SELECT 1 AS n FORMAT JSON", "application/json", b"{\n"),
        ("SELECT 1 AS n FORMAT CSVWithNames", "text/csv", b'"n"\n1\n'),
        ("SELECT 1 AS n FORMAT PrettyCompact", "text/plain", "   ┌─n─┐".encode()),
        ("SELECT 1 AS n FORMAT Native", "application/octet-stream", b"\x01\x01\x01n\x05UInt8"),
    ],
)
def test_formats_have_their_names_and_types(
    at: Place, query: str, content_type: str, start: bytes
) -> None:
    answer = http(at, query=query)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.headers["X-ClickHouse-Format"] in (*query.split(), "TabSeparated")
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "1"
    assert answer.body.startswith(start)


def test_a_format_may_be_asked_for_beside_the_query(at: Place) -> None:
    answer = http(at, body=b"SELECT 1 AS n", default_format="JSONCompact", query_id="mine")
    assert json.loads(answer.body)["data"] == [[1]]
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"


def test_compressed_answers_are_for_those_who_ask(at: Place) -> None:
    query = "SELECT number FROM numbers(3000)"
    answer = http(at, headers={"Accept-Encoding": "lz4"}, query=query, enable_http_compression="1")
    assert answer.headers["Content-Encoding"] == "lz4"
    plain = http(at, headers={"Accept-Encoding": "lz4"}, query=query)
    assert lz4.frame.decompress(answer.body) == plain.body


def test_a_statement_has_no_format(at: Place, writer: Client) -> None:
    answer = http(at, body=b"INSERT INTO shop.t (a) VALUES (1), (2)", writer=True)
    assert "X-ClickHouse-Format" not in answer.headers
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELEC 1", 400, "62"),
        ("SELECT 1; SELECT 2", 400, "62"),
        ("SELECT * FROM nowhere", 404, "60"),
        ("SELECT 1 FORMAT Nothing", 404, "73"),
        ("SELECT throwIf(1)", 500, "395"),
    ],
)
def test_errors_are_told_as_clickhouse_tells_them(
    at: Place, query: str, status: int, code: str
) -> None:
    answer = http(at, body=query.encode(), writer=True)
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, code)
    assert answer.body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert b"(version " in answer.body


def test_a_get_changes_nothing_even_for_the_writer(at: Place, writer: Client) -> None:
    assert (
        http(at, writer=True, query="DROP TABLE shop.t").headers["X-ClickHouse-Exception-Code"]
        == "164"
    )
    assert writer.command("EXISTS TABLE shop.t") == 1


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
def test_curl_asks_and_inserts(at: Place, writer: Client) -> None:
    def curl(*arguments: str, data: bytes | None = None) -> bytes:
        return subprocess.run(
            ["curl", "-sS", "--fail-with-body", *arguments], input=data, capture_output=True
        ).stdout

    url = f"http://{at}/"
    login = ["-u", f"{at.user}:{at.password}"]
    insert = urllib.parse.quote("INSERT INTO shop.t (a, b) FORMAT CSV")
    curl(*login, f"{url}?query={insert}", "--data-binary", "@-", data=b'1,"q;"\n2,r\n')
    curl(*login, url, "-d", "INSERT INTO shop.t (a, b) VALUES (3, 's')")
    assert curl(url, "-d", "SELECT b FROM shop.t ORDER BY a") == b"q;\nr\ns\n"
    assert curl(url, "-F", "query=SELECT {x:UInt8}", "-F", "param_x=5") == b"5\n"
    assert b"(UNKNOWN_TABLE)" in curl(url, "-d", "SELECT * FROM shop.missing")
    assert curl("--compressed", f"{url}?enable_http_compression=1", "-d",
                "SELECT count(), 'x' FROM shop.t") == b"3\tx\n"  # fmt: skip


@pytest.mark.parametrize("user", ["analyst", "default", ""])
def test_readers_read_without_a_password(at: Place, writer: Client, user: str) -> None:
    writer.insert("shop.t", [[1]], ["a"])
    assert http(at, query="SELECT count() FROM shop.t", user=user).body == b"1\n"


@pytest.mark.parametrize(
    ("user", "password"), [("tocsin", "wrong"), ("tocsin", ""), ("root", ""), ("analyst", "x")]
)
def test_strangers_are_turned_away(at: Place, user: str, password: str) -> None:
    answer = http(at, query="SELECT 1", user=user, password=password)
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")


def test_an_unmodified_client_finds_out_that_it_only_reads(reader: Client, writer: Client) -> None:
    assert reader.query("SELECT count() FROM shop.t").result_rows == [(0,)]
    assert reader.server_settings["max_threads"].readonly == 1
    with pytest.raises(DatabaseError, match="readonly"):
        reader.insert("shop.t", [[1]], ["a"])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO shop.t (a) VALUES (1)", "INSERT INTO shop.t (a) SELECT 1", "DROP TABLE shop.t",
        "TRUNCATE TABLE shop.t", "ALTER TABLE shop.t DELETE WHERE 1", "OPTIMIZE TABLE shop.t FINAL",
        "CREATE TABLE shop.x (a Int8) ENGINE = Memory", "CREATE TEMPORARY TABLE x (a Int8)",
        "SET readonly = 0", "SELECT 1 SETTINGS readonly = 0", "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "SELECT * FROM executable('id', 'TSV', 'x String')", "SELECT * FROM filesystem('/etc')",
        "SELECT * FROM file('/etc/hosts', 'LineAsString')", "SELECT file('/etc/hosts')",
        "SELECT 1 INTO OUTFILE '{tmp}/out'", "INSERT INTO FUNCTION file('{tmp}/out') SELECT 1",
        "SELECT * FROM url('{net}/x', 'LineAsString')", "SELECT * FROM url('{net}/x.csv')",
        "DESCRIBE url('{net}/x.csv')", "DESC (SELECT * FROM url('{net}/x.csv'))",
        "SELECT * FROM s3('{net}/bucket/x.csv')", "SELECT * FROM iceberg('{net}/bucket/x')",
        "SELECT * FROM deltaLake('{net}/bucket/x')", "SELECT * FROM remote('{host}', system.one)",
        "SELECT * FROM postgresql('{host}', 'a', 'b', 'c', 'd')",
        "SELECT * FROM redis('{host}', 'k', 'k String')",
    ],
)  # fmt: skip
def test_a_reader_changes_nothing_and_reaches_nothing(
    at: Place, writer: Client, tmp_path: Path, statement: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        host = f"127.0.0.1:{elsewhere.getsockname()[1]}"
        said = statement.format(tmp=tmp_path, net=f"http://{host}", host=host)
        answer = http(at, body=said.encode(), user="analyst", max_execution_time="5")
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164", answer.body
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert list(tmp_path.iterdir()) == []
    assert writer.command("SELECT count() FROM shop.t") == 0


def test_a_reader_may_limit_its_query_and_nothing_else(at: Place) -> None:
    slow = http(at, query="SELECT sleep(3)", max_execution_time="1")
    assert slow.headers["X-ClickHouse-Exception-Code"] == "159"
    fast = http(at, query="SELECT 1", max_execution_time="10")
    assert fast.body == b"1\n"
    assert http(at, query="SELECT 1", format_schema="x").status == 500


async def test_too_many_questions_at_once_are_refused_and_leave_room_for_rows(
    at: Place, writer: Client
) -> None:
    async with ClientSession() as session:

        async def ask(sql: str, **fields: str) -> str | None:
            async with session.post(f"http://{at}/", data=sql, params=fields) as response:
                return response.headers.get("X-ClickHouse-Exception-Code")

        # all of them are there before the first one is done
        flood = [asyncio.create_task(ask("SELECT sleep(2)")) for _ in range(4)]
        flood += [asyncio.create_task(ask("SELECT sleep(0.02)")) for _ in range(86)]
        while not any(task.done() for task in flood):
            await asyncio.sleep(0.01)
        insert = ask("INSERT INTO shop.t (a) VALUES (1)", user=at.user, password=at.password)
        assert await insert is None
        codes = await asyncio.gather(*flood)
    assert codes.count("202") == 90 - 64
    assert codes.count(None) == 64
