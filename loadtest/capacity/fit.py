"""Prices from measured phases: the non-negative ones that explain the CPU time best. Pure."""

from collections.abc import Mapping, Sequence

from loadtest.capacity import drivers
from loadtest.capacity.arrivals import Flow, counts
from loadtest.capacity.costs import Phase

_SWEEPS = 20_000
_FLOOR = 0.02
"""CPU seconds a phase may be off for no reason: clocks tick, and something always happens."""
_RELATIVE = 0.05
"""And the part of itself: no phase counts for more because it was long."""


def prices(part: str, phases: Sequence[Phase], idle: float) -> dict[str, float]:
    """µs of CPU by driver of one part, from what it used beyond `idle` (CPU seconds a second)."""
    names = [
        name
        for name in drivers.PAYS.get(part, ())
        if any(drivers.of(name, phase.counts) for phase in phases)
    ]
    used = [max(0.0, p.cpu.get(part, 0) - idle * p.seconds) for p in phases]
    weights = [1 / (_FLOOR + _RELATIVE * each) for each in used]
    rows = [
        [weight * drivers.of(name, phase.counts) / 1e6 for name in names]
        for phase, weight in zip(phases, weights, strict=True)
    ]
    wanted = [weight * each for weight, each in zip(weights, used, strict=True)]
    found = non_negative(rows, wanted)
    return {name: round(us, 3) for name, us in zip(names, found, strict=True)}


def non_negative(rows: Sequence[Sequence[float]], wanted: Sequence[float]) -> list[float]:
    """x ≥ 0 with the least |rows · x - wanted|², by coordinate descent on the normal equations."""
    width = len(rows[0]) if rows else 0
    gram = [[sum(r[i] * r[j] for r in rows) for j in range(width)] for i in range(width)]
    target = [sum(r[i] * w for r, w in zip(rows, wanted, strict=True)) for i in range(width)]
    x = [0.0] * width
    for _ in range(_SWEEPS):
        moved = 0.0
        for i in range(width):
            if not gram[i][i]:
                continue
            step = target[i] - sum(g * v for g, v in zip(gram[i], x, strict=True))
            after = max(0.0, x[i] + step / gram[i][i])
            moved = max(moved, abs(after - x[i]))
            x[i] = after
        if moved < 1e-6:
            break
    return x


def window(
    measured: Sequence[tuple[Sequence[Flow], float, Mapping[str, float]]], partitions: int
) -> float:
    """The router's window (seconds) with which `counts` comes closest to the batches that were
    counted: of each phase its flows, its seconds and its counts."""
    choices = [0.002 * 1.1**step for step in range(50)]
    return min(choices, key=lambda each: _off(measured, partitions, each))


def _off(
    measured: Sequence[tuple[Sequence[Flow], float, Mapping[str, float]]],
    partitions: int,
    each: float,
) -> float:
    off = 0.0
    for flows, seconds, counted in measured:
        told, seen = (
            drivers.of("batches", found)
            for found in (counts(flows, seconds, partitions, each), counted)
        )
        off += ((told - seen) / max(seen, 1)) ** 2
    return off
