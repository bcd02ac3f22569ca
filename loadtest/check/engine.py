"""ClickHouse's own engine over a folder of its own, in this process and within a bound of memory.

A process has one such engine, and keeps about 270 MB for it: the checker is a process of its own.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import chdb
import psutil
from chdb import ChdbError

from loadtest.check.statements import statements
from tocsin.errors import ConfigError

_MB: Final = 1 << 20
_SETTINGS: Final = {
    # sorts and groups go to disk long before the bound; joins in buckets
    "max_memory_usage": 1_300 * _MB,
    "max_bytes_before_external_group_by": 300 * _MB,
    "max_bytes_before_external_sort": 300 * _MB,
    "join_algorithm": "'grace_hash'",
    "max_bytes_in_join": 300 * _MB,
    # what is written here is thrown away: a metadata file need not be on the disk
    "fsync_metadata": 0,
    "max_threads": 2,
    # short of billions of rows, compiling an expression costs more than it saves
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
    "max_insert_threads": 1,
    "max_block_size": 16_384,
    "min_insert_block_size_rows": 500_000,
    "min_insert_block_size_bytes": 64 * _MB,
    # a sorted grouping holds so much of every part it reads from, and there may be a hundred
    "aggregation_in_order_max_block_bytes": 1 * _MB,
    # a sorted read of them holds a block and a buffer per column and part
    "min_compress_block_size": 16 * 1024,
    "max_compress_block_size": 64 * 1024,
    "max_read_buffer_size": 128 * 1024,
    # mapped, a file of gigabytes would count as memory of this process
    "storage_file_read_method": "'pread'",
    "input_format_parallel_parsing": 1,
    "max_parsing_threads": 2,
    "min_chunk_bytes_for_parallel_parsing": 1 * _MB,
}


class Unreadable(ConfigError):
    """A file of the run is not what it should be."""


class Engine:
    """A context manager. Everything it writes is under `scratch`, and gone at the end; what a
    killed one left there goes at the next start."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def __enter__(self) -> Self:
        _sweep(self._scratch)
        mine = f"check-{os.getpid()}-"
        self._folder = tempfile.TemporaryDirectory(prefix=mine, dir=self._scratch)
        self._connection = chdb.connect(self._folder.name)
        for name, value in _SETTINGS.items():
            self._connection.query(f"SET {name} = {value}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._folder.cleanup()

    def begin(self) -> None:
        """An empty database to work in; the last one is dropped."""
        self._connection.query("USE default")
        self._connection.query("DROP DATABASE IF EXISTS checked SYNC")
        self._connection.query("CREATE DATABASE checked")
        self._connection.query("USE checked")

    def do(self, name: str, parameters: Mapping[str, Any] | None = None) -> None:
        """The statements of sql/`name`.sql. Raises `Unreadable` with the engine's own words."""
        for sql in statements(name):
            self._run(sql, parameters)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[list[Any]]:
        """The rows of an answer, as JSON has them."""
        body = bytes(self._run(sql, parameters, "JSONCompactEachRow").bytes() or b"")
        return [json.loads(line) for line in body.splitlines()]

    def _run(self, sql: str, parameters: Mapping[str, Any] | None, format_: str = "Null") -> Any:
        try:
            return self._connection.query(sql, format_, params=dict(parameters or {}))
        except (ChdbError, RuntimeError) as error:
            raise Unreadable(_first_sentence(str(error))) from None


def _sweep(scratch: Path) -> None:
    for left in scratch.glob("check-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _first_sentence(said: str) -> str:
    return said.partition("\n")[0].partition(" (version")[0][:500]
