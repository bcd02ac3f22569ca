"""What a system costs that has nothing to do, and what it holds beside what it holds under load."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from loadtest.bench.running import Running
from loadtest.bench.usage import Usage

_SECONDS = 8.0


class Resting(NamedTuple):
    """What every part used in so many seconds of nothing, and held at their end."""

    seconds: float
    parts: Mapping[str, Usage]


async def resting(running: Running, seconds: float = _SECONDS) -> Resting:
    """Watch for a while."""
    before, start = running.usage(), time.monotonic()
    await asyncio.sleep(seconds)
    after, took = running.usage(), time.monotonic() - start
    used = {
        part: now._replace(cpu=max(0.0, now.cpu - before.get(part, Usage()).cpu))
        for part, now in after.items()
    }
    return Resting(took, used)


def report(
    rest: Resting, before: Mapping[str, Usage], after: Mapping[str, Usage], deliveries: int
) -> dict[str, dict[str, Any]]:
    """By part: idle CPU, memory idle and loaded, bytes to and from disk per delivery."""
    found = {}
    for part, now in sorted(after.items()):
        idle, then = rest.parts.get(part, Usage()), before.get(part, Usage())
        found[part] = {
            "idle_cpu_percent": round(100 * idle.cpu / rest.seconds, 2) if rest.seconds else 0,
            "rss_mb_idle": round(idle.rss / 1e6, 1),
            "rss_mb_loaded": round(now.rss / 1e6, 1),
            "written_bytes_per_delivery": round((now.written - then.written) / max(deliveries, 1)),
            "read_bytes_per_delivery": round((now.read - then.read) / max(deliveries, 1)),
        }
    return found
