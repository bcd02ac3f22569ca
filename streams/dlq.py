"""`tocsin dlq`: dead letters, read from the log itself, and put back when their cause is mended."""

import asyncio
import base64
import sys
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streams.log import read_all
from tocsin import settings as settings_module
from tocsin.errors import Invalid, TocsinError
from tocsin.kafka import PLACE_HEADER, start_producer
from tocsin.records import DeadLetter, decode
from tocsin.settings import Settings
from tocsin.topics import DEAD

app = typer.Typer(name="tocsin dlq", help=__doc__, no_args_is_help=True, add_completion=False)


async def letters(settings: Settings) -> list[DeadLetter]:
    """Every letter there is, oldest first."""
    found = []
    async for record in read_all(settings, DEAD):
        with suppress(Invalid):  # somebody else's record on our topic hides no letter
            found.append(decode(DeadLetter, record.value))
    return sorted(found, key=lambda letter: letter.at)


async def put_back(settings: Settings, chosen: list[DeadLetter]) -> None:
    """Produce the payloads to the partitions they came from. Returns when they are durable.

    What was already acted on is recognised downstream by its id, so putting back twice is harmless.
    """
    producer = await start_producer(settings)
    try:
        for letter in chosen:
            payload = base64.b64decode(letter.payload_b64)
            await producer.send_and_wait(
                letter.topic,
                payload,
                partition=letter.partition,
                headers=[(PLACE_HEADER, _place(letter).encode())],
            )
    finally:
        await producer.stop()


def _place(letter: DeadLetter) -> str:
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


@app.command("list")
def list_() -> None:
    """One line per dead letter: where it came from and what is wrong with it."""
    table = Table("place", "at", "error", "field", "reason", box=None)
    found = asyncio.run(letters(settings_module.load()))
    for letter in found:
        at = letter.at.isoformat(timespec="seconds")
        table.add_row(_place(letter), at, letter.error, letter.field, letter.reason)
    Console().print(table if found else "No dead letters.")


@app.command()
def show(place: Annotated[str, typer.Argument(help="topic:partition:offset, as listed")]) -> None:
    """A dead letter whole, its payload included."""
    chosen = _chosen(place)
    sys.stdout.buffer.write(base64.b64decode(chosen[-1].payload_b64) + b"\n")
    typer.echo(
        f"{chosen[-1].error}: {chosen[-1].field or '(whole)'}: {chosen[-1].reason}", err=True
    )


@app.command()
def replay(
    place: Annotated[str, typer.Argument(help="topic:partition:offset, or 'all'")],
) -> None:
    """Put a dead letter (or all of them) back where it came from."""
    chosen = asyncio.run(letters(settings_module.load())) if place == "all" else _chosen(place)[-1:]
    asyncio.run(put_back(settings_module.load(), chosen))
    typer.echo(f"{len(chosen)} put back.")


def _chosen(place: str) -> list[DeadLetter]:
    found = [x for x in asyncio.run(letters(settings_module.load())) if _place(x) == place]
    if not found:
        typer.echo(f"no dead letter at {place}; `tocsin dlq list` shows them", err=True)
        raise typer.Exit(1)
    return found


if __name__ == "__main__":
    try:
        app(prog_name="tocsin dlq")
    except TocsinError as error:
        sys.exit(f"tocsin dlq: {error}")
