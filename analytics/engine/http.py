"""ClickHouse's HTTP interface over a `Directory`.

Queries block, so each runs in a thread; inserts have a lane of their own, so that no report can
stand in front of the writer.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import web

from analytics.client import Place
from analytics.engine.directory import Directory
from analytics.engine.encoding import decoded, encoded
from analytics.engine.gate import Role, admit
from analytics.engine.lane import Lane
from analytics.engine.problem import NOT_IMPLEMENTED, Problem
from analytics.engine.request import Request, take_apart
from analytics.engine.run import Result, run
from analytics.engine.statement import first_word

THREADS: Final = 4
MOST_WAITING: Final = 64
MOST_BODY: Final = 256 << 20
_OK: Final = "Ok.\n"
_TYPES: Final[Mapping[str, str]] = {
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
}
_BINARY: Final = ("Native", "RowBinary", "Parquet", "Arrow", "ORC", "Avro", "MsgPack", "Protobuf")


class Interface:
    """The handlers; `app()` is what is served."""

    def __init__(self, directory: Directory, writer: Place) -> None:
        self._directory, self._writer = directory, writer
        self._version = directory.ask("SELECT version()")
        self._timezone = directory.ask("SELECT timezone()")
        self._queries = Lane("query", THREADS, MOST_WAITING)
        self._inserts = Lane("insert", THREADS, MOST_WAITING)

    def app(self) -> web.Application:
        """`/` and `/ping`."""
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/replicas_status", self._ping)
        app.router.add_get("/", self._query)
        app.router.add_post("/", self._query)
        app.on_cleanup.append(self._stop)
        return app

    async def _stop(self, _: web.Application) -> None:
        self._queries.close()
        self._inserts.close()

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(text=_OK)

    async def _query(self, http: web.Request) -> web.Response:
        try:
            request = await _read(http)
            if not request.sql.strip():
                return web.Response(text=_OK)
            return self._answer(request, *await self._run(request))
        except Problem as problem:
            return self._problem(problem)

    async def _run(self, request: Request) -> tuple[Result, bytes, str]:
        role = admit(request.user, request.password, self._writer)
        inserts = first_word(request.sql[:4096]) == "INSERT"
        lane = self._inserts if inserts else self._queries
        return await lane.run(partial(self._work, request, role))

    def _work(self, request: Request, role: Role) -> tuple[Result, bytes, str]:
        result = run(self._directory, request, role)
        return result, *encoded(result.body, request.accepts)

    def _answer(self, request: Request, result: Result, body: bytes, coding: str) -> web.Response:
        headers = {
            "Content-Type": _content_type(result.format),
            "X-ClickHouse-Summary": result.summary_json(),
            "X-ClickHouse-Query-Id": request.query_id,
            "X-ClickHouse-Timezone": self._timezone,
            "X-ClickHouse-Server-Display-Name": "tocsin",
        }
        if result.format:
            headers["X-ClickHouse-Format"] = result.format
        if coding:
            headers["Content-Encoding"] = coding
        return web.Response(body=body, headers=headers)

    def _problem(self, problem: Problem) -> web.Response:
        text = str(problem)
        if "(version " not in text:
            text = f"{text} (version {self._version} (chDB))"
        return web.Response(
            status=problem.status,
            text=text + "\n",
            headers={"X-ClickHouse-Exception-Code": str(problem.code)},
        )


async def _read(http: web.Request) -> Request:
    fields = list(http.query.items())
    # curl calls every body a urlencoded form; ClickHouse, too, takes only this kind for one
    if http.content_type == "multipart/form-data":
        for name, value in (await http.post()).items():
            if not isinstance(value, str):
                reason = "External tables are not offered by the embedded engine"
                raise Problem(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", reason)
            fields.append((name, value))
        return take_apart(http.method, fields, http.headers, b"")
    body = decoded(await http.read(), http.headers.get("Content-Encoding", ""))
    return take_apart(http.method, fields, http.headers, body)


def _content_type(name: str) -> str:
    if name.startswith(_BINARY):
        return "application/octet-stream"
    known = max((k for k in _TYPES if name.startswith(k)), key=len, default="")
    return _TYPES.get(known, "text/plain; charset=UTF-8")
