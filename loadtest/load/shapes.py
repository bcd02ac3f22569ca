"""The shapes of a load: for each stream how many calls, when, and what a call holds. Pure.

One number scales a shape from the whole of 16 M notifications a day down to what a laptop carries;
the same shape, scale and seconds mean the same calls everywhere.
"""

from collections.abc import Mapping
from math import ceil
from typing import Final, NamedTuple

from loadtest.load.curve import Curve
from tocsin.errors import Invalid

DAY: Final = 16_000_000
"""10 M push, 1 M SMS and 5 M email."""

MEAN: Final = DAY / 86_400
MOST_PER_WORKER: Final = 5_000.0
"""Notifications a second that one Locust worker is trusted to ask for."""

_SHORTEST, _LONGEST = 5.0, 7 * 86_400.0
_FOR_NIGHTS: Final = 30.0
"""Seconds of a load below which nobody wants quiet hours: they would outlast it by minutes."""


class Flow(NamedTuple):
    """One stream of calls: `items` in `calls`, at most `holds` in each, spread as `curve` says."""

    stream: str
    items: int
    holds: int
    curve: Curve

    @property
    def calls(self) -> int:
        """How many calls it takes."""
        return ceil(self.items / self.holds)

    def held(self, number: int) -> int:
        """How many items call `number` holds: the last one has the rest."""
        return min(self.holds, self.items - number * self.holds)


class Plan(NamedTuple):
    """What is to be asked. `people` are registered before, `skus` have stock reported."""

    shape: str
    scale: float
    seconds: float
    flows: tuple[Flow, ...]
    people: int
    skus: int

    def flow(self, stream: str) -> Flow:
        """The flow of a stream the plan has."""
        return next(flow for flow in self.flows if flow.stream == stream)

    @property
    def notifications(self) -> int:
        """Requests to tell somebody something, all streams together."""
        return sum(flow.items for flow in self.flows if flow.stream in PRODUCERS)

    @property
    def nights_over(self) -> float:
        """Seconds from the start until the last quiet hours are over; 0 where there are none."""
        there = any(flow.stream == "quiet_hours" for flow in self.flows)
        return self.seconds / 2 + SOON + 60 + NIGHT if there else 0.0

    @property
    def peak(self) -> float:
        """Notifications a second when it is busiest; at least a bound of it."""
        told = [flow for flow in self.flows if flow.stream in PRODUCERS]
        return sum(flow.items * flow.curve.peak for flow in told) / self.seconds


class Shape(NamedTuple):
    """`told` notifications at scale 1, spread as `curve`; `others` are items of other streams with
    their curves. `seconds` and `scale` are what a laptop carries."""

    about: str
    told: int
    curve: Curve
    others: Mapping[str, tuple[int, Curve]]
    seconds: float
    scale: float
    low: bool = False


FLAT: Final = Curve([(0, 1), (1, 1)])
DIURNAL: Final = Curve(
    [(0, 0.62), (0.12, 0.5), (0.3, 0.95), (0.45, 1.15), (0.58, 1.1), (0.8, 1.45), (0.9, 1.2),
     (1, 0.7)]
)  # fmt: skip
"""Midnight to midnight: a trough before dawn, a rise, a plateau, the evening's peak."""

PEAK: Final = Curve([(0, 1), (0.2, 1), (0.2, 10), (0.8, 10), (0.8, 1), (1, 1)])
"""The mean, ten times the mean for three fifths of the time, the mean."""

BURST: Final = Curve([(0, 1), (0.25, 1), (0.25, 0), (1, 0)])
EARLY: Final = Curve([(0, 1), (0.5, 1), (0.5, 0), (1, 0)])
"""Opt-outs and quiet hours: early, so that there is something left to hold back."""

SOON: Final = 5
"""Quiet hours begin with a whole minute, at least so many seconds from the wish for them."""

NIGHT: Final = 60
"""Seconds that quiet hours last."""

SIGNING_UP: Final = Curve([(0, 2), (0.15, 4), (0.4, 2), (0.7, 1), (0.8, 0), (1, 0)])
CROSSINGS: Final = Curve(
    [(0, 0), (0.3, 0), (0.3, 1), (0.36, 1), (0.36, 0), (0.6, 0), (0.6, 1), (0.66, 1), (0.66, 0),
     (0.86, 0), (0.86, 1), (0.92, 1), (0.92, 0), (1, 0)]
)  # fmt: skip
"""Stock comes three times, the last time after the last sign-up."""

CLICKING: Final = Curve([(0, 0), (0.15, 0), (0.15, 1), (1, 1)])
"""There has to be something to click first."""

ARRIVING: Final = Curve([(0, 1), (0.35, 1), (0.35, 0), (1, 0)])
STORM: Final = Curve([(0, 0), (0.55, 0), (0.55, 1), (0.58, 1), (0.58, 0), (1, 0)])

PRODUCERS: Final[Mapping[str, float]] = {"rest": 0.03, "batch": 0.50, "kafka": 0.47}
"""Streams of notifications and their shares."""

_ITEMS_MOST: Final[Mapping[str, int]] = {"rest": 1, "batch": 500, "kafka": 500, "sign_up": 100}
_CROSSINGS: Final = 3
_CALLS_WANTED: Final = 1_600
"""Calls of a stream from which its percentiles mean something; beyond, calls hold more."""


def _everyday(day: Curve) -> dict[str, tuple[int, Curve]]:
    """What goes on beside the notifications of a whole day."""
    return {
        "otp": (200_000, day),
        "sign_up": (100_000, SIGNING_UP),
        "restock": (2_000, CROSSINGS),
        "connect": (150_000, day),
        "click": (300_000, CLICKING),
        "ask": (20_000, FLAT),
        "opt_out": (10_000, EARLY),
        "quiet_hours": (10_000, EARLY),
    }


def _part(share: float, curve: Curve = FLAT) -> dict[str, tuple[int, Curve]]:
    """A share of a day's doings."""
    return {name: (ceil(n * share), c) for name, (n, c) in _everyday(curve).items()}


_QUARTER = 15 * 60
SHAPES: Final[Mapping[str, Shape]] = {
    "day": Shape(
        "a day from midnight to midnight, compressed: 10 M push, 1 M SMS, 5 M email at scale 1",
        DAY, DIURNAL, _everyday(DIURNAL), 420, 0.02,
    ),
    "peak": Shape(
        "ten times the mean of a day for 15 minutes, with the mean before and after",
        round(MEAN * _QUARTER * (10 + 4 / 6)), PEAK, _part(1 / 9, PEAK), 240, 0.1,
    ),
    "flash": Shape(
        "hot SKUs come back: 200,000 people have signed up, stock comes three times",
        round(MEAN * _QUARTER), FLAT,
        _part(1 / 96) | {"sign_up": (200_000, SIGNING_UP), "restock": (1_200, CROSSINGS)},
        180, 0.1,
    ),
    "campaign": Shape(
        "3.2 M low-priority offers at once, drained by the system's own pacing",
        3_200_000, BURST, _part(1 / 48), 180, 0.02, low=True,
    ),
    "storm": Shape(
        "a million sockets, of which all are cut off and come back at the same moment",
        DAY // 4, FLAT,
        _part(1 / 4) | {
            "connect": (1_000_000, ARRIVING), "reconnect": (1_000_000, STORM),
            "sign_up": (200_000, SIGNING_UP),
        },
        150, 0.001,
    ),
    "soak": Shape(
        "as many as a day's, evenly, for as long as you like: does anything grow?",
        DAY, FLAT, _everyday(FLAT), 3_600, 0.1,
    ),
}  # fmt: skip


def plan(
    shape: str, scale: float | None = None, seconds: float | None = None, workers: int = 1
) -> Plan:
    """The calls of a shape. Without `scale` or `seconds`: those that fit a laptop.

    Raises `Invalid` naming the field for what makes no sense.
    """
    chosen = SHAPES.get(shape)
    if chosen is None:
        raise Invalid("shape", f"there is no {shape!r}; there are {', '.join(SHAPES)}")
    scale = chosen.scale if scale is None else scale
    seconds = chosen.seconds if seconds is None else seconds
    _check_range("scale", scale, 1e-6, 10, "a fraction of the full 16 M day, such as 0.02")
    _check_range("seconds", seconds, _SHORTEST, _LONGEST, "5 seconds to 7 days")
    _check_range("workers", workers, 1, 1_000, "1 to 1,000 Locust processes")
    made = _made(shape, chosen, scale, seconds)
    _check_rate(made, workers)
    return made


def _made(shape: str, chosen: Shape, scale: float, seconds: float) -> Plan:
    told = round(chosen.told * scale)
    flows = [_flow(stream, items, chosen.curve) for stream, items in _shared(told).items() if items]
    counts = {name: max(1, round(items * scale)) for name, (items, _) in chosen.others.items()}
    skus = min(200, max(3, counts["restock"] // 2 // _CROSSINGS))
    counts["restock"] = 2 * _CROSSINGS * skus
    if seconds < _FOR_NIGHTS:
        counts["quiet_hours"] = 0
    others = chosen.others.items()
    flows += [_flow(name, counts[name], curve) for name, (_, curve) in others if counts[name]]
    leaving = counts["opt_out"] + counts["quiet_hours"]
    people = max(500, 10 * leaving, told // 8, 2 * counts["sign_up"], 2 * counts["connect"])
    return Plan(shape, scale, seconds, tuple(flows), people, skus)


def _shared(told: int) -> dict[str, int]:
    """Notifications by stream; they add up."""
    shared = {stream: int(told * share) for stream, share in PRODUCERS.items()}
    shared["batch"] += told - sum(shared.values())
    return shared


def _flow(stream: str, items: int, curve: Curve) -> Flow:
    least = 5 if stream in ("batch", "kafka") else 1
    wanted = max(least, round(items / _CALLS_WANTED))
    return Flow(stream, items, min(wanted, _ITEMS_MOST.get(stream, 1)), curve)


def _check_range(field: str, value: float, least: float, most: float, hint: str) -> None:
    if not least <= value <= most:
        raise Invalid(field, f"{value:g} makes no sense here: {hint}")


def _check_rate(made: Plan, workers: int) -> None:
    if made.notifications < 100:
        raise Invalid(
            "scale", f"{made.scale:g} is {made.notifications} notifications: 100 at least"
        )
    if made.peak > MOST_PER_WORKER * workers:
        raise Invalid(
            "seconds",
            f"{made.notifications:,} notifications in {made.seconds:g} s are {made.peak:,.0f} a "
            f"second at the peak, and {workers} Locust worker(s) ask for "
            f"{MOST_PER_WORKER * workers:,.0f} at most: more seconds, more workers or less scale",
        )
