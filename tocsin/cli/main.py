"""The `tocsin` command. Every error is one clear line with the next step; the work is elsewhere."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Final, ParamSpec, TypeVar

import typer
from rich.console import Console

from tocsin import __version__
from tocsin import settings as settings_module
from tocsin.cli.home import Home, read_state
from tocsin.cli.mint import Ask, console_address, mint_token
from tocsin.cli.pass_on import pass_on, system_environment
from tocsin.cli.status import show
from tocsin.cli.up import up as run_up
from tocsin.cli.wish import Wish
from tocsin.errors import ConfigError, EngineUnavailable, TocsinError
from tocsin.settings import Settings

EXIT_CONFIG: Final = 2
EXIT_ENGINE: Final = 3

app = typer.Typer(
    name="tocsin",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Notifications for online shops: Kafka in; WebSocket, push, SMS and email out.

    **tocsin up --replay sales.csv.gz --speed 3600** starts everything on this machine, sandboxed
    providers included, and plays a shop's sales into it. Then, in another terminal:
    **tocsin status**, **tocsin sql "SELECT * FROM delivery_funnel"**, **tocsin audit**.

    Settings are environment variables named TOCSIN_…; a TOCSIN_KAFKA_URL, TOCSIN_REDIS_URL,
    TOCSIN_CLICKHOUSE_URL or TOCSIN_RAY_ADDRESS makes Tocsin use that engine instead of its own.""",
)

Data = Annotated[
    Path, typer.Option("--data", envvar="TOCSIN_DATA_DIR", help="The data directory", metavar="DIR")
]
_DATA: Final = Path(".tocsin")
_PASSED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


P = ParamSpec("P")
R = TypeVar("R")


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """User errors as one line on standard error: code 2 for a wrong setting, 3 for a missing
    engine, 1 for the rest."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except TocsinError as error:
            print(f"tocsin: {error}", file=sys.stderr)
            raise typer.Exit(_code(error)) from None

    return wrapped


def _code(error: TocsinError) -> int:
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    return EXIT_ENGINE if isinstance(error, EngineUnavailable) else 1


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Say the version and end")] = False,
) -> None:
    if version:
        print(f"tocsin {__version__}")
        raise typer.Exit


@app.command()
@plain_errors
def up(
    data: Data = _DATA,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="The API's port; else 8080 or a free one")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Play this sales file (.csv or .csv.gz)", metavar="FILE")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Times the file's own pace; 0: as fast as possible")
    ] = 0,
    run: Annotated[
        str, typer.Option(help="The replay's name: under another one the same file is told anew")
    ] = "",
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="End when all the replay caused has ended")
    ] = False,
    summary: Annotated[
        Path | None, typer.Option(help="Then write what became of it, as JSON", metavar="FILE")
    ] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Real providers, from TOCSIN_APNS_* and the like")
    ] = False,
    logs: Annotated[
        bool, typer.Option("--logs", help="Show every log line, not only warnings and errors")
    ] = False,
) -> None:
    """Start everything; one Ctrl-C stops it in order, losing nothing that was accepted.

    Kafka, Redis, ClickHouse and Ray run embedded, on loopback only, with their data in one
    directory. Kafka's log is in memory: what a clean stop leaves unfinished goes on at the next
    start, what a crash leaves does not. Set TOCSIN_KAFKA_URL, TOCSIN_REDIS_URL,
    TOCSIN_CLICKHOUSE_URL or TOCSIN_RAY_ADDRESS to use your own instead. Providers are a sandbox
    that speaks APNs, FCM, Twilio and SMTP; --no-sandbox uses the real ones.
    """
    wish = Wish(data, port, not no_sandbox, replay, speed, run, exit_when_done, summary, logs)
    raise typer.Exit(run_up(wish, Console()))


@app.command()
@plain_errors
def status(data: Data = _DATA) -> None:
    """Engines, workers, lag per topic, pools, at a glance."""
    home = Home(data)
    state = read_state(home)
    settings = _settings(data)
    if state is None:
        raise ConfigError(
            f"nothing runs on {home.root}; of a distributed system, ask its own tools for workers"
        )
    show(state, home, settings, Console())


@app.command()
@plain_errors
def token(
    user: Annotated[str, typer.Option(help="A token for this user", metavar="U")] = "",
    service: Annotated[str, typer.Option(help="A token for this service", metavar="S")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="What a service may do, repeatable; else everything")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.001, help="How long it is valid")] = 12,
    data: Data = _DATA,
) -> None:
    """Mint a JSON Web Token, for development. It is all that is printed."""
    print(mint_token(_settings(data), Ask(user, service, tuple(scope or ()), hours)))


@app.command()
@plain_errors
def console(data: Data = _DATA) -> None:
    """Print the operations console's address, with a token that is good for 12 hours. Whoever has
    it can read statistics and put dead letters back: it belongs in no log."""
    print(console_address(_settings(data)))


def _settings(data: Path) -> Settings:
    os.environ.update(system_environment(data))
    return settings_module.load()


def _passed_on(name: str, about: str) -> None:
    """A command that another package carries out; all but --data is handed to it."""

    @app.command(name, help=about, context_settings=_PASSED_ON, add_help_option=False)
    @plain_errors
    def command(context: typer.Context, data: Data = _DATA) -> None:
        pass_on(name, context.args, data)


_passed_on("replay", "Play a sales file into the running system: `tocsin replay FILE --speed N`.")
_passed_on("audit", "The conservation law over ClickHouse: every accepted delivery ends once.")
_passed_on("sql", 'Query ClickHouse: `tocsin sql "SELECT …"`, or a question by name: `--list`.')
_passed_on("dlq", "Dead letters: `tocsin dlq list`, `show` and `replay`.")
_passed_on("rebuild", "Restore Redis from the log, on a running system too.")
_passed_on("whatif", "What other rules would have done: `tocsin whatif --rules FILE`.")


if __name__ == "__main__":
    app()
