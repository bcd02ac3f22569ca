"""Before the first call: everybody is registered, every SKU has a stock of none."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from loadtest.load.crowd import Crowd
from loadtest.load.run_dir import Lines, RunDir
from loadtest.load.service import Service
from loadtest.load.shapes import Plan
from tocsin.records import Profile
from tocsin.settings import Settings

_AT_ONCE: Final = 500
_CONNECTIONS: Final = 3


def sku(run: str, number: int) -> str:
    """A SKU of the run."""
    return f"{run}-sku-{number}"


def crowd_of(run: str, plan: Plan) -> Crowd:
    """The people of a run."""
    items = {flow.stream: flow.items for flow in plan.flows}
    return Crowd(run, plan.people, items.get("opt_out", 0), items.get("quiet_hours", 0))


def register(
    settings: Settings, run: str, plan: Plan, seen: Callable[[int], None] = lambda _: None
) -> None:
    """Register the people and report the SKUs; `seen` hears how many people there are already.

    Doing it again changes nothing. Raises `EngineUnavailable`, `Refused`.
    """
    crowd, done = crowd_of(run, plan), 0
    spans = [range(at, min(at + _AT_ONCE, plan.people)) for at in range(0, plan.people, _AT_ONCE)]
    parts = [spans[k::_CONNECTIONS] for k in range(_CONNECTIONS)]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:

        def part(mine: list[range]) -> None:
            nonlocal done
            service = Service(settings)
            for span in mine:
                users = [_user(crowd.profile(number)) for number in span]
                service.batch("/v1/users:batch", "users", users)
                done += len(span)
                seen(done)
            service.close()

        for ended in [pool.submit(partial(part, mine)) for mine in parts if mine]:
            ended.result()
    _seed(settings, run, plan)


def _seed(settings: Settings, run: str, plan: Plan) -> None:
    service, now = Service(settings), datetime.now(UTC).isoformat()
    changes = [
        {
            "event_id": f"{run}-none-{number}", "sku": sku(run, number), "available": 0,
            "version": 1, "occurred_at": now,
        }
        for number in range(plan.skus)
    ]  # fmt: skip
    service.batch("/v1/inventory:batch", "changes", changes)
    service.close()


def write_people(run_dir: RunDir, run: str, plan: Plan) -> None:
    """`people.jsonl`."""
    run_dir.people.unlink(missing_ok=True)
    lines = Lines(run_dir.people)
    for person in crowd_of(run, plan).lines():
        lines.write(person)
    lines.close()


def new_run() -> str:
    """A name no run had before: the second it began, in base 16."""
    return f"load{int(time.time()):x}"


def _user(profile: Profile) -> dict[str, Any]:
    return {
        "user_id": profile.user_id, "email": profile.email, "phone": profile.phone,
        "name": profile.name, "devices": profile.devices,
    }  # fmt: skip
