"""What a person sees of `tocsin up`: checklist, addresses, what goes wrong, live numbers."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tocsin.cli.logs import Allowance, Line
from tocsin.cli.progress import Progress
from tocsin.cli.session import Ready, StartFailed

_COLOURS: Final = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta")
_STYLES: Final = {"error": "red", "warning": "yellow", "info": ""}
_LINE_SECONDS: Final = 5.0
_STATES: Final = ("delivered", "accepted", "failed", "suppressed", "expired", "cancelled")
_NAME_WIDTH: Final = 11


class Screen:
    """On a terminal a live table under scrolling lines; elsewhere a plain line now and then."""

    def __init__(self, console: Console, all_logs: bool = False) -> None:
        self.console, self._all_logs = console, all_logs
        self._live: Live | None = None
        self._allowance = Allowance(lines=5, seconds=30)
        self._next_line, self._last_line = 0.0, ""

    def say(self, text: str) -> None:
        """One line; rich markup allowed."""
        self.console.print(text, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """One line that stands out; no markup."""
        self.say(f"[yellow]![/] {escape(text)}")

    def up(self, ready: Ready, where: str = "") -> None:
        """A process of the checklist is ready."""
        name, seconds = ready.program.name, f"{ready.seconds:5.1f} s"
        self.say(f"  [green]✓[/] {name:<{_NAME_WIDTH}} {seconds}  [dim]{escape(where)}[/]".rstrip())

    def addresses(self, found: Mapping[str, str]) -> None:
        """Where everything can be reached."""
        self.say("")
        for name, address in found.items():
            self.say(f"  {name:<{_NAME_WIDTH}} [bold]{escape(address)}[/]")
        self.say("")

    def failed(self, failure: StartFailed) -> None:
        """What a process that does not start said last, and what it means for the whole."""
        for line in failure.last_words:
            self.say(f"[red]{failure.name} |[/] {escape(line)}")
        self.say(f"[bold red]tocsin up:[/] {escape(str(failure))}")

    def keeps_dying(self, name: str, times: int, last_words: Iterable[str], log: str) -> None:
        """A process that supervisord starts again and again."""
        for line in last_words:
            self.say(f"[red]{name} |[/] {escape(line)}")
        self.warn(
            f"{name} was started {times} times within a minute and is being tried again, ever more "
            f"slowly; the rest goes on. Its last lines are above, its log is {log}"
        )

    def lines(self, new: Iterable[Line]) -> None:
        """Log lines, each behind its process's name: all (`--logs`), or what is alarming, and of
        that no flood."""
        for line in new:
            if self._all_logs:
                self._line(line)
            elif line.level != "info":
                left = self._allowance.left(self._allowance.take(line.name, time.monotonic()))
                if left >= 0:
                    self._line(line)
                if left == 0:
                    self._line(line._replace(level="warning", text="… more of it is in its log"))

    def _line(self, line: Line) -> None:
        colour = _COLOURS[sum(line.name.encode()) % len(_COLOURS)]
        text = Text(f"{line.name:<{_NAME_WIDTH}} | ", style=colour)
        self.console.print(text.append(line.text, _STYLES[line.level]), soft_wrap=True)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While this lasts, `show` keeps the live table at the bottom (on a terminal)."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, refresh_per_second=4, transient=True) as self._live:
            yield
        self._live = None

    def show(self, progress: Progress, doing: str) -> None:
        """The numbers now; `doing` is a phrase or the replay's own last line."""
        if self._live:
            self._live.update(_board(progress, doing))
            return
        line = _plain(progress, doing)
        if line != self._last_line and time.monotonic() >= self._next_line:
            self._last_line, self._next_line = line, time.monotonic() + _LINE_SECONDS
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)


def _board(progress: Progress, doing: str) -> Group:
    states = [s for s in _STATES if any(s in found for found in progress.channels.values())]
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("channel")
    for state in states:
        table.add_column(state, justify="right")
    for channel, counts in progress.channels.items():
        table.add_row(channel, *(f"{counts.get(state, 0):,}" for state in states))
    pace = f"{progress.per_second:,.0f} deliveries/s · {_lag(progress)}"
    lines = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in (pace, doing)]
    return Group("", table, *lines)


def _plain(progress: Progress, doing: str) -> str:
    counts = ", ".join(
        f"{channel} {sum(states.values()):,}" for channel, states in progress.channels.items()
    )
    ended = f"{progress.ended:,} deliveries ended ({counts})" if counts else "no delivery yet"
    return f"{ended}; {progress.per_second:,.0f}/s; {_lag(progress)}; {doing}"


def _lag(progress: Progress) -> str:
    if progress.lag is None:
        return "lag not known"
    behind = {group: n for group, n in progress.lag.items() if n}
    if not behind:
        return "no lag"
    return "lag " + ", ".join(f"{g.removeprefix('tocsin-')} {n:,}" for g, n in behind.items())
