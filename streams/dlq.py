"""`tocsin dlq`: dead letters, read from the log itself, and put back when their cause is mended."""

import asyncio
import base64
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import typer
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Column, Table

from tocsin import settings as settings_module
from tocsin.clock import SystemClock
from tocsin.dead import letters, place_of, put_back
from tocsin.errors import TocsinError
from tocsin.kafka import start_producer
from tocsin.records import DeadLetter, encode
from tocsin.settings import Settings

_PIPED_COLUMNS: Final = 200

app = typer.Typer(name="tocsin dlq", help=__doc__, no_args_is_help=True, add_completion=False)


async def put_back_now(settings: Settings, chosen: Sequence[DeadLetter]) -> None:
    """Put these back, over a producer of our own."""
    producer = await start_producer(settings)
    try:
        await put_back(producer, chosen, SystemClock().now())
    finally:
        await producer.stop()


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
        sys.stdout.buffer.write(
            encode([{"place": place_of(x), **asdict(x)} for x in found]) + b"\n"
        )
        return
    place = Column("place", no_wrap=True)  # it is what `show` and `replay` are given
    table = Table(place, "at", "error", "field", "reason", "put back", box=None)
    for letter in found:
        back = _time(letter.put_back_at) if letter.put_back_at else ""
        table.add_row(
            place_of(letter), _time(letter.at), letter.error, letter.field, letter.reason, back
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
            typer.echo(f"{place_of(letter)} was put back at {at}: again is harmless.", err=True)
    if dry_run:
        for letter in chosen:
            typer.echo(f"{place_of(letter)} {letter.field or '(whole)'}: {letter.reason}")
        typer.echo(f"{len(chosen)} would be put back.")
        return
    asyncio.run(put_back_now(settings_module.load(), chosen))
    typer.echo(f"{len(chosen)} put back.")


def _all() -> list[DeadLetter]:
    return asyncio.run(letters(settings_module.load()))


def _chosen(place: str) -> list[DeadLetter]:
    found = [x for x in _all() if place_of(x) == place]
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
