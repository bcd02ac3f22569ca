"""Forgetting a person."""

from api.services import Services
from tocsin.store import View
from tocsin.store.clicks import Clicks
from tocsin.store.traces import Traces
from tocsin.topics import SUBSCRIPTIONS


async def erase_user(services: Services, user_id: str) -> bool:
    """Everything that is theirs, in the log and in the view.

    The profile goes last: whoever asks again after a crash half-way still finds the person, and
    finishes. True if there was one. Raises `StoreEmptied` where what is theirs may be in the log
    only: it could not be found there, and a rebuild would bring it back.
    """
    await View(services.redis).require()
    signups = await services.subscriptions.of_user(user_id)
    tombstones = [(s.subscription_id, None) for s in signups]
    await services.publish.many(SUBSCRIPTIONS, tombstones)
    await services.subscriptions.erase(user_id, signups)
    await services.inbox.erase(user_id)
    await services.otp.erase(user_id)
    await Clicks(services.redis).erase(user_id)
    await Traces(services.redis).erase(user_id)
    there = await services.people.erase(user_id)
    # what waits for them is woken, finds nobody, and leaves the log and the store
    await services.schedule.hasten(user_id)
    return there
