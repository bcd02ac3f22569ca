"""A verdict for a person at a terminal."""

from typing import Final

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from loadtest.check.meaning import CLASSES
from loadtest.load.run_dir import Verdict

_EXAMPLES: Final = 5


def show(console: Console, verdict: Verdict) -> None:
    """The books in a line or two, the classes as a table, the first examples of each."""
    console.print(_books(verdict), _table(verdict), *_examples(verdict), sep="\n")


def _books(verdict: Verdict) -> Group:
    states = ", ".join(f"{name} {count:,}" for name, count in sorted(verdict.by_state.items()))
    why = ", ".join(f"{name} {count:,}" for name, count in sorted(verdict.reasons.items()))
    lines = [
        f"{verdict.accepted:,} accepted, {verdict.may:,} unknown, {verdict.sign_ups:,} sign-ups;"
        f" {verdict.expected_deliveries:,} deliveries expected, {verdict.unended:,} without an end",
        f"{verdict.ended:,} ends in ClickHouse ({states or 'none'}),"
        f" {verdict.received:,} receipts at the providers",
    ]
    lines += [f"ends by reason: {why}"] if why else []
    lines += [f"{verdict.cut} lines of histories were cut by a kill"] if verdict.cut else []
    return Group(*map(Text, lines))


def _table(verdict: Verdict) -> Table:
    table = Table()
    table.add_column("class")
    table.add_column("count", justify="right")
    table.add_column("what it means")
    for name, fault in verdict.faults.items():
        style = "bold red" if fault.count else ""
        table.add_row(name, f"{fault.count:,}", CLASSES[name], style=style)
    return table


def _examples(verdict: Verdict) -> list[Text]:
    lines = []
    for name, fault in verdict.faults.items():
        lines += [f"{name}: {example}" for example in fault.examples[:_EXAMPLES]]
        if fault.count > _EXAMPLES:
            lines.append(f"{name}: … and {fault.count - _EXAMPLES:,} more")
    lines += [f"not judged: {reason}" for reason in verdict.unjudged]
    if not lines:
        lines = ["nothing lost, nothing twice, nothing that should not be"]
    return [Text(line) for line in lines]
