"""What decisions are made with: the rules, the words, people, what was taken back, the time."""

from typing import NamedTuple

from redis.asyncio import Redis

from streams.rules import Rules, load_rules
from tocsin.clock import Clock
from tocsin.settings import Settings
from tocsin.store import Cancellations, Profiles, Templates
from tocsin.store.clock import StoreClock
from tocsin.templates import Catalogue, Choose


class Mind(NamedTuple):
    """One per process, for whoever decides."""

    rules: Rules
    catalogue: Catalogue
    choose: Choose
    profiles: Profiles
    cancellations: Cancellations
    clock: Clock


async def make_mind(settings: Settings, redis: Redis, catalogue: Catalogue | None = None) -> Mind:
    """Over one store client, by the store's clock as it is now. A catalogue that nothing feeds
    knows the bundled words, and asks the store for others. Raises `ConfigError` for wrong rules."""
    catalogue = catalogue or Catalogue()
    return Mind(
        rules=load_rules(settings.rules_file),
        catalogue=catalogue,
        choose=Choose(catalogue, Templates(redis)),
        profiles=Profiles(redis),
        cancellations=Cancellations(redis),
        clock=await StoreClock.set_by(redis),
    )
