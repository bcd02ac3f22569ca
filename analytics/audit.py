"""`python -m analytics.audit [--json]`: the conservation law over ClickHouse; exit 1 on drift.

Every accepted notification has a delivery, every delivery ends once. What is still on its way is
reported with its age, and is lost only after `--lost-after` seconds, because a message may wait
for its hour or its retry. When nothing is on its way any more, `--quiescent` says so: then
everything unfinished is lost. A request that became a dead letter is neither: it is accounted for.
"""

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.named import query
from analytics.terminal import print_table
from tocsin.process import run
from tocsin.settings import Settings

ABOUT: Final[Mapping[str, str]] = {
    "conflict": "ended in two different ways",
    "phantom": "ended, and nobody had asked for it",
    "lost_delivery": "accepted, and never ended",
    "lost_request": "accepted, and never routed to a channel",
    "dead": "accepted, and became a dead letter: tocsin dlq",
    "in_flight": "accepted, not ended yet",
    "unrouted": "accepted, not routed yet",
    "unsettled": "ended just now, its request not seen yet",
    "miscounted": "hours whose rollup is wrong, until the writer counts them again",
}
DRIFT: Final = frozenset({"conflict", "phantom", "lost_delivery", "lost_request"})
NAMED: Final = (*sorted(DRIFT), "dead", "miscounted")
"""Kinds whose members are told by name."""

LOST_AFTER: Final = timedelta(days=1)
SETTLES_IN: Final = timedelta(minutes=1)
_END_OF_TIME: Final = datetime(2299, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Example:
    """One delivery or notification, since when, and what about it."""

    id: str
    since: datetime
    detail: str


@dataclass(frozen=True)
class Finding:
    """Everything of one kind; by name the oldest 20, or all that were asked for."""

    kind: str
    count: int
    oldest: datetime
    first: tuple[Example, ...]

    @property
    def is_drift(self) -> bool:
        """Whether the law is broken, rather than not yet fulfilled."""
        return self.kind in DRIFT


@dataclass(frozen=True)
class Report:
    """The books by type and channel, and what does not balance."""

    books: tuple[Mapping[str, Any], ...]
    findings: tuple[Finding, ...]

    @property
    def drift(self) -> int:
        """How many notifications and deliveries break the law."""
        return sum(finding.count for finding in self.findings if finding.is_drift)


async def audit(
    client: AsyncClient,
    now: datetime,
    lost_after: timedelta = LOST_AFTER,
    quiescent: bool = False,
    every_id: bool = False,
) -> Report:
    """Read the books. With `quiescent`, whatever has not ended is lost, however young. With
    `every_id` each of `NAMED` is told by name, not just the oldest."""
    parameters = {
        "lost": _said(_END_OF_TIME if quiescent else now - lost_after),
        "settled": _said(_END_OF_TIME if quiescent else now - SETTLES_IN),
    }
    books = await client.query(query("conservation"))
    found = await client.query(query("audit"), parameters=parameters)
    findings = [_finding(*row) for row in found.result_rows]
    findings += _miscounted((await client.query(query("miscounted"))).result_rows)
    if every_id:
        findings = await _with_every_id(client, findings, parameters)
    return Report(books=tuple(books.named_results()), findings=tuple(findings))


async def _with_every_id(
    client: AsyncClient, findings: list[Finding], parameters: Mapping[str, str]
) -> list[Finding]:
    kinds = [f.kind for f in findings if f.kind in NAMED and f.kind != "miscounted"]
    if not kinds:
        return findings
    result = await client.query(query("audit_ids"), parameters={**parameters, "kinds": kinds})
    ids: dict[str, list[Example]] = defaultdict(list)
    for kind, since, name, detail in result.result_rows:
        ids[kind].append(Example(name, _aware(since), detail))
    # rows may have arrived between the two questions: the count is that of the ids
    return [
        replace(finding, count=len(ids[finding.kind]), first=tuple(ids[finding.kind]))
        if finding.kind in kinds
        else finding
        for finding in findings
    ]


def _said(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _finding(kind: str, count: int, oldest: datetime, first: list[tuple[Any, ...]]) -> Finding:
    examples = tuple(Example(name, _aware(since), detail) for since, name, detail in first)
    return Finding(kind, int(count), _aware(oldest), examples)


def _miscounted(rows: Sequence[Sequence[Any]]) -> list[Finding]:
    hours = tuple(
        Example(f"{hour:%Y-%m-%d %H}:00", _aware(hour), f"{counted} counted, {there} there")
        for hour, counted, there in rows
    )
    return [Finding("miscounted", len(hours), hours[0].since, hours)] if hours else []


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def as_json(report: Report) -> str:
    """One object: drift, in_flight, unrouted, dead, miscounted, the books, the findings."""
    counts = {finding.kind: finding.count for finding in report.findings}
    return json.dumps(
        {
            "drift": report.drift,
            "in_flight": counts.get("in_flight", 0) + counts.get("lost_delivery", 0),
            "unrouted": counts.get("unrouted", 0) + counts.get("lost_request", 0),
            "dead": counts.get("dead", 0),
            "miscounted": counts.get("miscounted", 0),
            "books": report.books,
            "findings": [asdict(finding) for finding in report.findings],
        },
        default=str,
    )


def show(report: Report, now: datetime) -> None:
    """The books and the findings as tables, and the verdict."""
    if report.books:
        lines = [list(book.values()) for book in report.books]
        print_table("Deliveries", list(report.books[0]), lines)
    if report.findings:
        found = [(f.kind, f.count, _age(f.oldest, now), ABOUT[f.kind]) for f in report.findings]
        print_table("Not (yet) balanced", ("kind", "count", "oldest", "what it means"), found)
    for finding in report.findings:
        if finding.kind in NAMED and finding.first:
            first = [(each.id, each.since, each.detail) for each in finding.first]
            which = "all" if len(first) == finding.count else f"the oldest {len(first)}"
            print_table(f"{finding.kind}: {which}", ("id", "since", "detail"), first)
    print(f"DRIFT: {report.drift:,}" if report.drift else "no drift: nothing lost, nothing twice")


def _age(since: datetime, now: datetime) -> str:
    return str(max(now - since, timedelta())).partition(".")[0]


async def main(arguments: argparse.Namespace, settings: Settings, _: asyncio.Event) -> None:
    """Print; exit 1 on drift."""
    now = datetime.now(UTC)
    client = await connect(settings)
    try:
        lost_after = timedelta(seconds=arguments.lost_after)
        every_id = arguments.json or arguments.all
        report = await audit(client, now, lost_after, arguments.quiescent, every_id)
    finally:
        await client.close()
    if arguments.json:
        print(as_json(report))
    else:
        show(report, now)
    if report.drift:
        raise SystemExit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="analytics.audit", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object, with every id")
    parser.add_argument("--all", action="store_true", help="every id, not just the oldest 20")
    parser.add_argument("--quiescent", action="store_true", help="nothing is on its way any more")
    parser.add_argument(
        "--lost-after", type=float, metavar="SECONDS", default=LOST_AFTER.total_seconds()
    )
    return parser.parse_args()


if __name__ == "__main__":
    run("audit", partial(main, _arguments()), metrics=False)
