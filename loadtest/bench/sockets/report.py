"""The bars, and the table that shows them met or missed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.table import Table

BYTES_EACH: Final = 16 * 1024
PER_CPU_SECOND: Final = 30_000
STORM_SECONDS: Final = 60


def bars(found: Mapping[str, Any]) -> dict[str, bool]:
    """Which of the bars of what was measured are met."""
    met = {f"idle: at most {BYTES_EACH:,} bytes each": found["idle"]["bytes_each"] <= BYTES_EACH}
    for part in found["loads"]:
        label = f"pushed to {part['connections']:,}: {PER_CPU_SECOND:,}/s a core or more, all came"
        pushed = part["pushed"]
        met[label] = pushed["per_cpu_second"] >= PER_CPU_SECOND and pushed["missing"] == 0
    if storm := found["storm"]:
        all_back = storm["back"] == storm["connections"] and storm["seconds"] <= STORM_SECONDS
        met[f"storm: all back in {STORM_SECONDS} s"] = all_back
        met["storm: no gap unless told, nothing twice"] = (
            storm["gaps"] == storm["repeats"] == storm["behind"] == 0
        )
    return met


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The lines of the table."""
    idle = found["idle"]
    yield (
        f"{idle['connections']:,} idle",
        f"{idle['bytes_each']:,} bytes each (shard: {idle['rss_mb']:.0f} MB), "
        f"{idle['cpu_percent']:.1f} % of a core",
    )
    yield "connecting", f"{idle['per_second']:,}/s, {idle['per_cpu_second']:,} per CPU second"
    for load in found["loads"]:
        for kind in ("pushed", "delivered"):
            yield f"{kind} to {load['connections']:,}", _flood(load[kind])
        steady = load["steady"]
        yield (
            f"publish to frame, {steady['per_second']:,}/s to {load['connections']:,}",
            f"p50 {steady['ms'].get('p50')} · p99 {steady['ms'].get('p99')} ms "
            f"({steady['missing']} missing)",
        )
    if storm := found["storm"]:
        yield (
            f"{storm['connections']:,} come back ({storm['accepts_per_second']:.0f} a second may)",
            f"{storm['back']:,} in {storm['seconds']} s; sent away {storm['sent_away']:,} times; "
            f"{storm['gaps']} gaps, {storm['repeats']} repeats, {storm['told']} told to reload, "
            f"{storm['behind']} behind; {storm['delivered_meanwhile']:,} delivered meanwhile",
        )


def _flood(part: Mapping[str, Any]) -> str:
    us, ms = part["us_each"], part["ms"]
    return (
        f"{part['per_cpu_second']:,} per CPU second ({us['cpu']} µs each: {us['user']} user, "
        f"{us['system']} system; store {us['store']}), {part['per_second']:,}/s here, "
        f"p50 {ms.get('p50')} · p99 {ms.get('p99')} ms, {part['missing']} missing"
    )


def lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The figures, then the bars."""
    yield from rows(found)
    for bar, met in found["bars"].items():
        yield bar, "met" if met else "MISSED"


def table(found: Mapping[str, Any]) -> Table:
    """All of it."""
    made = Table(title="Sockets of one shard", show_header=False)
    for row in lines(found):
        made.add_row(*row)
    return made
