"""`tocsin dlq`: dead letters, read from the log itself, and put back when their cause is mended."""

import asyncio
import base64
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Final

import typer
from msgspec.structs import asdict, replace
from rich.console import Console
from rich.table import Column, Table

from streams.log import read_all
from tocsin import settings as settings_module
from tocsin.clock import SystemClock
from tocsin.errors import Invalid, TocsinError
from tocsin.kafka import PLACE_HEADER, start_producer
from tocsin.records import DeadLetter, decode, encode
from tocsin.settings import Settings
from tocsin.topics import DEAD

_PIPED_COLUMNS: Final = 200

app = typer.Typer(name="tocsin dlq", help=__doc__, no_args_is_help=True, add_completion=False)


async def letters(settings: Settings) -> list[DeadLetter]:
    """Every letter there is, oldest first; of one that was put back the copy that says so."""
    found: dict[tuple[object, ...], DeadLetter] = {}
    async for record in read_all(settings, DEAD):
        with suppress(Invalid):  # somebody else's record on our topic hides no letter
            letter = decode(DeadLetter, record.value)
            found[_name(letter)] = _newer(found.get(_name(letter)), letter)
    return sorted(found.values(), key=lambda letter: letter.at)


def _name(letter: DeadLetter) -> tuple[object, ...]:
    return _place(letter), letter.error, letter.field, letter.reason, letter.notification_id


def _newer(one: DeadLetter | None, other: DeadLetter) -> DeadLetter:
    """The copy last put back: a record read again after a crash is buried again, as it was."""
    if one is None or one.put_back_at is None:
        return other
    return max(one, other, key=lambda letter: letter.put_back_at or one.at)


async def put_back(settings: Settings, chosen: Sequence[DeadLetter], now: datetime) -> None:
    """Produce the payloads to the partitions they came from, then note that this was done.

    Returns when all is durable. What was already acted on is recognised downstream by its id and
    place, so putting back twice is harmless.
    """
    producer = await start_producer(settings)
    try:
        # several letters may be about one record, of which each has the whole
        payloads = {(_place(x), x.payload_b64): x for x in chosen}
        for letter in payloads.values():
            await producer.send_and_wait(
                letter.topic,
                base64.b64decode(letter.payload_b64),
                partition=letter.partition,
                headers=[(PLACE_HEADER, _place(letter).encode())],
            )
        for letter in chosen:
            noted = encode(replace(letter, put_back_at=now))
            await producer.send_and_wait(DEAD.name, noted, key=_place(letter).encode())
    finally:
        await producer.stop()


def _place(letter: DeadLetter) -> str:
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


@app.command("list")
def list_(
    topic: Annotated[str, typer.Option(help="Only letters from this topic")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON array, payloads included")
    ] = False,
) -> None:
    """One line per dead letter: where it came from, what is wrong with it, when it was put back."""
    found = [x for x in _all() if topic in ("", x.topic)]
    if as_json:
        sys.stdout.buffer.write(encode([{"place": _place(x), **asdict(x)} for x in found]) + b"\n")
        return
    place = Column("place", no_wrap=True)  # it is what `show` and `replay` are given
    table = Table(place, "at", "error", "field", "reason", "put back", box=None)
    for letter in found:
        back = _time(letter.put_back_at) if letter.put_back_at else ""
        table.add_row(
            _place(letter), _time(letter.at), letter.error, letter.field, letter.reason, back
        )
    # rich takes a pipe for 80 columns wide, which is one word of a reason a line
    console = Console(width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
    console.print(table if found else "No dead letters.")


@app.command()
def show(place: Annotated[str, typer.Argument(help="topic:partition:offset, as listed")]) -> None:
    """A dead letter whole, its payload included."""
    chosen = _chosen(place)
    sys.stdout.buffer.write(base64.b64decode(chosen[-1].payload_b64) + b"\n")
    for letter in chosen:
        back = f" (put back {_time(letter.put_back_at)})" if letter.put_back_at else ""
        typer.echo(f"{letter.error}: {letter.field or '(whole)'}: {letter.reason}{back}", err=True)


@app.command()
def replay(
    place: Annotated[str, typer.Argument(help="topic:partition:offset, or 'all'")],
    topic: Annotated[str, typer.Option(help="With 'all': only letters from this topic")] = "",
    dry_run: Annotated[bool, typer.Option(help="Only say what would be put back")] = False,
) -> None:
    """Put a dead letter back where it came from; 'all' are those that were not put back before."""
    if place == "all":
        chosen = [x for x in _all() if x.put_back_at is None and topic in ("", x.topic)]
    else:
        chosen = _chosen(place)
    for letter in chosen:
        if letter.put_back_at:
            at = _time(letter.put_back_at)
            typer.echo(f"{_place(letter)} was put back at {at}: again is harmless.", err=True)
    if dry_run:
        for letter in chosen:
            typer.echo(f"{_place(letter)} {letter.field or '(whole)'}: {letter.reason}")
        typer.echo(f"{len(chosen)} would be put back.")
        return
    asyncio.run(put_back(settings_module.load(), chosen, SystemClock().now()))
    typer.echo(f"{len(chosen)} put back.")


def _all() -> list[DeadLetter]:
    return asyncio.run(letters(settings_module.load()))


def _chosen(place: str) -> list[DeadLetter]:
    found = [x for x in _all() if _place(x) == place]
    if not found:
        typer.echo(f"no dead letter at {place}; `tocsin dlq list` shows them", err=True)
        raise typer.Exit(1)
    return found


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


if __name__ == "__main__":
    try:
        app(prog_name="tocsin dlq")
    except TocsinError as error:
        sys.exit(f"tocsin dlq: {error}")
