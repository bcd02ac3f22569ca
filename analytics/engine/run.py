"""One query on chDB: blocking, in a thread, on a connection of its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chdb import ChdbError

from analytics.engine.directory import Directory
from analytics.engine.gate import Role, check, check_settings
from analytics.engine.problem import Problem
from analytics.engine.request import Request
from analytics.engine.statement import Insert, answers, format_of, insert_of

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFAULT_FORMAT: Final = "TabSeparated"
_READER_LIMITS: Final = {"max_execution_time": "60"}


@dataclass(frozen=True)
class Result:
    """The answer's bytes; `format` is empty for a statement without a result."""

    body: bytes = b""
    format: str = ""
    summary: Mapping[str, str] = field(default_factory=dict)

    def summary_json(self) -> str:
        """As in the X-ClickHouse-Summary header: every number a string."""
        zero = dict.fromkeys(
            ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read",
             "result_rows", "result_bytes", "elapsed_ns"), "0",
        )  # fmt: skip
        return json.dumps(zero | dict(self.summary), separators=(",", ":"))


def run(directory: Directory, request: Request, role: Role) -> Result:
    """Run it to its end. An insert is on disk when this returns. Raises `Problem`."""
    insert = insert_of(request.query or request.data, request.format or "Values")
    if insert and request.query:
        insert = insert._replace(data=insert.data + request.data)
    check(insert.sql if insert else request.sql, role)
    check_settings(request.settings, role)
    connection = directory.connection()
    try:
        _prepare(connection, request, role)
        return _insert(connection, insert) if insert else _query(connection, request)
    except (ChdbError, RuntimeError) as error:
        raise Problem.of(error) from None
    finally:
        connection.close()


def _prepare(connection: Any, request: Request, role: Role) -> None:
    if request.database:
        connection.query(f"USE {_quoted(request.database, '`')}")
    limits = _READER_LIMITS if role is Role.READER else {}
    # `readonly` comes last: after it no setting can be changed
    settings = {k: v for k, v in {**limits, **request.settings}.items() if k != "readonly"}
    readonly = _readonly(request, role)
    if readonly:
        settings["readonly"] = readonly
    if settings:
        said = ", ".join(f"{_setting(k)} = {_quoted(v, chr(39))}" for k, v in settings.items())
        connection.query(f"SET {said}")


def _readonly(request: Request, role: Role) -> str:
    if role is Role.READER:
        return "1"
    asked = request.settings.get("readonly", "")
    return asked if asked in ("1", "2") else "2" if request.changes_nothing else ""


def _insert(connection: Any, insert: Insert) -> Result:
    stream = connection.send_insert(insert.sql.decode("utf-8", "surrogateescape"), insert.format)
    try:
        stream.append(insert.data)
        done = stream.finish()
    finally:
        stream.close()
    return Result(
        summary={
            "written_rows": str(done.rows_written),
            "written_bytes": str(done.bytes_written),
            "elapsed_ns": str(int(done.elapsed * 1e9)),
        }
    )


def _query(connection: Any, request: Request) -> Result:
    default = request.format or _DEFAULT_FORMAT
    done = connection.query(request.sql, default, params=dict(request.parameters))
    body = bytes(done.bytes() or b"")
    return Result(
        body=body,
        format=format_of(request.sql, default) if answers(request.sql) else "",
        summary={
            "read_rows": str(done.storage_rows_read() or done.rows_read()),
            "read_bytes": str(done.storage_bytes_read() or done.bytes_read()),
            "result_rows": str(done.rows_read()),
            "result_bytes": str(len(body)),
            "elapsed_ns": str(int(done.elapsed() * 1e9)),
        },
    )


def _setting(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Problem(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
    return name


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
