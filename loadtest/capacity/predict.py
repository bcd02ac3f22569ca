"""CPU out of counts: what every part of a system will use for what happens. Pure."""

from collections.abc import Mapping

from loadtest.capacity import drivers
from loadtest.capacity.costs import Costs, Part


def active(part: Part, counts: Mapping[str, float]) -> float:
    """CPU seconds that what happened costs a part, idle time aside."""
    return sum(us * drivers.of(name, counts) for name, us in part.us.items()) / 1e6


def cpu(costs: Costs, counts: Mapping[str, float], seconds: float) -> dict[str, float]:
    """CPU seconds by part of a system as it was measured (one process of each), idling included."""
    return {
        name: part.idle_cpu * seconds + active(part, counts) for name, part in costs.parts.items()
    }
