"""One-time passwords at a steady pace: from the moment a log-in is asked for to the moment the
provider has the message. Both ends are clocks of this host; the provider's is the sandbox's own."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from loadtest.bench.api_calls import ApiCalls


async def ask_all(api: ApiCalls, users: Sequence[str], per_second: float) -> dict[str, float]:
    """One log-in a user at an even pace, whatever the answers take: challenge → *intended* time
    (Unix seconds), so that a stalled system is not asked less."""
    start = time.time()
    asked = [
        asyncio.create_task(_ask(api, user, start + number / per_second))
        for number, user in enumerate(users)
    ]
    return dict(await asyncio.gather(*asked))


async def _ask(api: ApiCalls, user: str, at: float) -> tuple[str, float]:
    await asyncio.sleep(max(0.0, at - time.time()))
    answer = await api.post("/v1/otp", {"user_id": user, "purpose": "bench", "channel": "sms"})
    return answer["challenge_id"], at


def latencies(intended: Mapping[str, float], received: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds by percentile (nearest rank), and how many never came."""
    took = sorted((received[c] - at) * 1000 for c, at in intended.items() if c in received)
    ranks = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
    found = {
        name: round(took[min(len(took) - 1, int(len(took) * rank))], 1)
        for name, rank in ranks.items()
        if took
    }
    return found | {"asked": len(intended), "missing": len(intended) - len(took)}
