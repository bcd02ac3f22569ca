"""The bounds of a run, from one file; a file that makes no sense is refused before the run."""

import math
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_args

import msgspec

from loadtest.load.run_dir import FAULTS, Kind
from loadtest.processes import PARTS
from tocsin.errors import ConfigError, Invalid

BUNDLED: Final = Path(__file__).with_name("gates.toml")
STREAMS: Final = (*get_args(Kind), "rest", "batch", "kafka", "socket")
"""What a stream's name may begin with when the streams of a run are not known yet."""

VICTIMS: Final = (
    "streams", "writer", "api", "actors", "sender", "shard", "otp-lane", "broker", "valkey",
    "clickhouse", "sandbox",
)  # fmt: skip
"""What the name of something that is killed may begin with: processes and actors."""

Bound = TypeVar("Bound", int, float)
_SEPARATORS: Final = "-_.:/ "

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_PATH: Final = re.compile(
    r"^(.*?)(?: - at (?:(?:the )?`?(?:key|values)`? in )?`\$\.?(.*)`)?$", re.DOTALL
)
_NAMED: Final = re.compile(r"(?:unknown|required) field `(\w+)`")


_BY_NAME: Final[Mapping[str, Any]] = {
    "faults": _Count, "duplicates_per_kill": _Count, "answer_p99_ms": _Positive, "achieved": _Share,
}  # fmt: skip
"""Tables whose keys are names."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Duplicates(_Table, frozen=True):
    """Sent twice: a share of the deliveries."""

    share: _Share


class Otp(_Table, frozen=True):
    """From the intended request to the code's arrival at its provider."""

    arrival_p99_ms: _Positive


class Backlog(_Table, frozen=True):
    """From the load's end until nothing waits."""

    drained_s: _Positive


class Memory(_Table, frozen=True):
    """Growth of a part's memory that is too much; `stores` are not judged."""

    percent_per_hour: _Positive
    floor_mb: _Positive
    least_s: _Positive
    stores: list[str]


class Dispatch(_Table, frozen=True):
    """What voids a run: the load was late itself, or did not begin what it meant to."""

    lag_p99_ms: _Positive
    begun: _Share


class Gates(_Table, frozen=True):
    """Every bound. `answer_p99_ms` and `achieved` are by the beginning of a stream's name,
    `duplicates_per_kill` by that of a process or actor."""

    faults: dict[str, _Count]
    duplicates: Duplicates
    duplicates_per_kill: dict[str, _Count]
    otp: Otp
    answer_p99_ms: dict[str, _Positive]
    achieved: dict[str, _Share]
    backlog: Backlog
    memory: Memory
    dispatch: Dispatch


def load(path: Path | None = None, streams: Collection[str] = ()) -> Gates:
    """The bundled gates with the values of `path` over them.

    `streams` are the run's, where they are known: a bound for one that it does not have is refused.
    Raises `ConfigError`, one line, naming the file, the key, and what is allowed.
    """
    bundled = _read(BUNDLED)
    if path is None:
        return _parsed(bundled)
    try:
        given = _read(path)
        _known_tables(given)
        gates = _parsed(_merged(bundled, given))
        _known_names(given, streams)
    except Invalid as error:
        raise ConfigError(f"{path}: {error}") from None
    return gates


def bound_for(stream: str, bounds: Mapping[str, Bound]) -> Bound | None:
    """The bound of the longest name that `stream` begins with."""
    fitting = [name for name in bounds if begins(stream, name)]
    return bounds[max(fitting, key=len)] if fitting else None


def begins(stream: str, name: str) -> bool:
    """Whether the stream's name is that one or a longer one of its family: `rest-high` is of
    `rest`, `restock` is not."""
    return stream == name or (stream.startswith(name) and stream[len(name)] in _SEPARATORS)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; a gates file is TOML") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None


def _known_tables(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in Gates.__struct_fields__:
            raise Invalid(name, f"no such table; there are {_list(Gates.__struct_fields__)}")
        if not isinstance(value, dict):
            raise Invalid(name, f"must be a table: write [{name}] and its values below it")


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {**table, **over.get(name, {})} for name, table in under.items()}


def _parsed(document: Mapping[str, Any]) -> Gates:
    for field, value in _numbers(document):
        if not math.isfinite(value):
            raise Invalid(field, "must be a number that is finite")
    try:
        return msgspec.convert(document, Gates)
    except msgspec.ValidationError as error:
        raise _named(error, document) from None


def _numbers(document: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for table, values in document.items():
        for name, value in values.items():
            if isinstance(value, float):
                yield f"{table}.{name}", value


def _named(error: msgspec.ValidationError, document: Mapping[str, Any]) -> Invalid:
    """msgspec's sentence with the key it is about. Of a table by name it says only the table."""
    match = _PATH.match(str(error))
    reason, path = (match[1], match[2] or "") if match else (str(error), "")
    if unknown := _NAMED.search(reason):
        table = Gates.__annotations__[path]
        known = _list(table.__struct_fields__)
        return Invalid(f"{path}.{unknown[1]}", f"no such bound; there are {known}")
    if path.endswith("[...]"):
        path = path.removesuffix("[...]")
        path = next((f for f in _fields(document, path) if _refused(f, document)), path)
    return Invalid(path, reason[:1].lower() + reason[1:])


def _fields(document: Mapping[str, Any], table: str) -> Iterator[str]:
    found = document.get(table)
    if isinstance(found, Mapping):
        yield from (f"{table}.{name}" for name in found)


def _refused(field: str, document: Mapping[str, Any]) -> bool:
    table, _, name = field.partition(".")
    kind = _BY_NAME[table]
    try:
        msgspec.convert(document[table][name], kind)
    except msgspec.ValidationError:
        return True
    return False


def _known_names(given: Mapping[str, Any], streams: Collection[str]) -> None:
    classes = [name for name in FAULTS if name != "duplicate"]
    for name in given.get("faults", ()):
        if name == "duplicate":
            raise Invalid("faults.duplicate", "is bounded by [duplicates] share")
        if name not in classes:
            raise Invalid(f"faults.{name}", f"no such class; there are {_list(classes)}")
    for name in given.get("duplicates_per_kill", ()):
        if not any(begins(name, known) for known in VICTIMS):
            known = _list(VICTIMS)
            raise Invalid(f"duplicates_per_kill.{name}", f"nothing is called so; there are {known}")
    for table in ("answer_p99_ms", "achieved"):
        for name in given.get(table, ()):
            if not _is_stream(name, streams) and (table, name) != ("achieved", "all"):
                known = _list(sorted(streams or STREAMS))
                raise Invalid(f"{table}.{name}", f"no stream's name begins so; there are {known}")
    for name in given.get("memory", {}).get("stores", ()):
        if name not in PARTS:
            raise Invalid("memory.stores", f"no part is called {name!r}; there are {_list(PARTS)}")


def _is_stream(name: str, streams: Collection[str]) -> bool:
    if streams:
        return any(begins(stream, name) for stream in streams)
    return any(begins(name, known) for known in STREAMS)


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
