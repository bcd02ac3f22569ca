"""Forgetting a person."""

from api.services import Services
from tocsin.topics import SUBSCRIPTIONS


async def erase_user(services: Services, user_id: str) -> bool:
    """Contact data, devices, sign-ups, inbox and lock, in the log and in the view.

    The profile goes last: whoever asks again after a crash half-way still finds the person, and
    finishes. True if there was one.
    """
    waiting = await services.subscriptions.of_user(user_id)
    tombstones = [(s.subscription_id, None) for s in waiting]
    await services.publish.many(SUBSCRIPTIONS, tombstones)
    await services.subscriptions.erase(user_id, waiting)
    await services.inbox.erase(user_id)
    await services.otp.forget(user_id)
    return await services.people.erase(user_id)
