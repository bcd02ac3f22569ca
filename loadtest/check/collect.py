"""What the providers got and what the books say, into files: page by page, in bounded memory."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from clickhouse_connect.driver import AsyncClient
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from analytics.client import connect
from loadtest.check.records import Collected, Received
from loadtest.check.statements import statement
from loadtest.load.run_dir import Run, RunDir
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.settings import Settings

_RECEIPTS: Final = 20_000
_ROWS: Final = 100_000
_SAMPLES: Final = 64
"""Ids looked at per page to find where it ends: pages are within about a third of `_ROWS`."""

_CLOCKS: Final = 2.0
Told = Callable[[str, int], None]


class _Pages(NamedTuple):
    """What a file got: lines, and how many were gone before they could be read."""

    lines: int
    missed: int = 0


async def collect(
    run_dir: RunDir, settings: Settings, sandbox_url: str, told: Told | None = None
) -> Collected:
    """Write `received.jsonl`, `ended.jsonl`, `waves.jsonl` and then `collected.json`, each whole or
    not at all. `told` is called with a file's name and its lines so far.

    Receipts are the sandbox's whole journal; rows are those of deliveries accepted since the run
    began. Raises `ConfigError` without run.json, `EngineUnavailable`.
    """
    run, tell = read_run(run_dir), told or _silent
    run_dir.collected.unlink(missing_ok=True)
    received = await _write(run_dir.received, _receipts(sandbox_url, run.started_at), tell)
    since = {"since": _said(run.started_at - _CLOCKS)}
    client = await connect(settings)
    try:
        ended = await _write(run_dir.ended, _rows(client, since), tell)
        waves = await _write(run_dir.waves, _waves(client, since), tell)
    finally:
        await client.close()
    found = Collected(received.lines, ended.lines, waves.lines, received.missed)
    run_dir.collected.write_bytes(msgspec.json.encode(found) + b"\n")
    return found


def read_run(run_dir: RunDir) -> Run:
    """`run.json`. Raises `ConfigError` saying which file is missing or wrong."""
    try:
        return msgspec.json.decode(run_dir.run.read_bytes(), type=Run)
    except OSError as error:
        raise ConfigError(
            f"{run_dir.run}: {error.strerror}; is this the folder of a run?"
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{run_dir.run}: {error}") from None


def _silent(_: str, __: int) -> None:
    pass


async def _write(path: Path, pages: AsyncIterator[tuple[bytes, int]], tell: Told) -> _Pages:
    """The pages into the file; each comes with how many lines were missed before it."""
    fresh, lines, missed = path.with_name(path.name + ".tmp"), 0, 0
    with fresh.open("wb") as file:
        async for page, gone in pages:
            file.write(page)
            lines, missed = lines + page.count(b"\n"), missed + gone
            tell(path.name, lines)
    fresh.replace(path)
    return _Pages(lines, missed)


class _Page(NamedTuple):
    """Lines of the journal; `truncated` when it had dropped some before them for want of room."""

    lines: bytes
    truncated: bool


async def _receipts(url: str, began: float) -> AsyncIterator[tuple[bytes, int]]:
    since = 0
    async with ClientBuilder().build() as client:
        while (page := await _page(client, url, since)).lines:
            first, last = (msgspec.json.decode(line, type=Received) for line in _ends(page.lines))
            # what was dropped is missed unless the run had not begun when the oldest left came;
            # what was deleted on purpose is not
            missed = page.truncated and first.received_at > began
            yield page.lines, first.sequence - since - 1 if missed else 0
            since = last.sequence


async def _page(client: Client, url: str, since: int) -> _Page:
    path = f"/sandbox/journal?format=ndjson&contents=false&since={since}&limit={_RECEIPTS}"
    try:
        answer = await client.get(url.rstrip("/") + path).build().send()
        body = bytes(await answer.bytes())
    except PyreqwestError:
        raise EngineUnavailable("the sandbox", url, "its journal ends with it") from None
    if answer.status != 200:
        raise EngineUnavailable("the sandbox", url, f"it says {answer.status} to {path}")
    return _Page(body, answer.headers.get("x-journal-truncated") == "true")


async def _rows(client: AsyncClient, since: dict[str, Any]) -> AsyncIterator[tuple[bytes, int]]:
    """By ranges of ids, which are the sorting key: each page reads only its own."""
    for low, high in await _ranges(client, since):
        parameters = since | {"low": low, "high": high}
        page = await client.raw_query(statement("ended"), parameters, fmt="JSONEachRow")
        yield bytes(page), 0


async def _ranges(client: AsyncClient, since: dict[str, Any]) -> list[tuple[str, str]]:
    """Neighbouring ranges of ids (low inclusive, high exclusive, empty: no bound)."""
    ((rows,),) = (await client.query(statement("ended_count"), since)).result_rows
    pages = max(1, round(rows / _ROWS))
    asked = since | {"sample": pages * _SAMPLES}
    ((sample,),) = (await client.query(statement("ended_sample"), asked)).result_rows
    ids = sorted(sample)
    bounds = sorted({ids[len(ids) * page // pages] for page in range(1, pages)} - {""})
    return list(zip(["", *bounds], [*bounds, ""], strict=True))


async def _waves(client: AsyncClient, since: dict[str, Any]) -> AsyncIterator[tuple[bytes, int]]:
    after: dict[str, Any] = {"sku": "", "notification": "", "rows": _ROWS} | since
    while page := bytes(await client.raw_query(statement("waves"), after, fmt="JSONEachRow")):
        yield page, 0
        last = msgspec.json.decode(_ends(page)[1])
        after |= {
            "since": _said(last["at_ms"] / 1000),
            "sku": last["sku"],
            "notification": last["notification_id"],
        }


def _ends(page: bytes) -> tuple[bytes, bytes]:
    """The first and the last line of a page that has one at least."""
    lines = page.splitlines()
    return lines[0], lines[-1]


def _said(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
