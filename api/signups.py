"""Back-in-stock sign-ups: the log first, then the queue.

A sign-up may fire the moment it is in the queue, and its end is then written to the log. So its
beginning must be there before; were it the other way round, the log could end with "waiting", and
a rebuild would have the person told again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from api.bodies import SubscriptionBody
from api.people import unknown_user
from api.publish import Publish
from tocsin.errors import Invalid, Refused, TocsinError
from tocsin.ids import derived_id
from tocsin.records import Subscription, encode
from tocsin.store import Profiles, Subscriptions
from tocsin.topics import SUBSCRIPTIONS

Outcome = tuple[Subscription, bool] | TocsinError
"""The sign-up as it is now and whether it is new; or why there is none."""


class SignUps:
    """Making and ending sign-ups."""

    def __init__(self, subscriptions: Subscriptions, profiles: Profiles, publish: Publish) -> None:
        self._subscriptions, self._profiles, self._publish = subscriptions, profiles, publish

    async def add(
        self, bodies: Sequence[SubscriptionBody], now: datetime, allow_unknown_sku: bool
    ) -> list[Outcome]:
        """One outcome per body, in a few calls. Every `user_id` is set.

        The same id with the same content again is no error: a retry gets the answer it missed.
        """
        wanted = await self._wanted(bodies, now)
        wrong = await self._wrong(wanted, now, allow_unknown_sku)
        right = [w for w, why in zip(wanted, wrong, strict=True) if why is None]
        known = await self._known(w.subscription_id for w in right)
        fresh: dict[str, Subscription] = {}
        for each in right:
            if each.subscription_id not in known:
                fresh.setdefault(each.subscription_id, each)
        await self._store(list(fresh.values()))
        return [
            why or _outcome(each, known, fresh) for each, why in zip(wanted, wrong, strict=True)
        ]

    async def end(self, subscription: Subscription) -> None:
        """Cancel what waits; anything else has ended already."""
        if subscription.state != "waiting":
            return
        cancelled = replace(subscription, state="cancelled")
        await self._publish.one(SUBSCRIPTIONS, cancelled.subscription_id, encode(cancelled))
        await self._subscriptions.end([cancelled])

    async def _wanted(
        self, bodies: Sequence[SubscriptionBody], now: datetime
    ) -> list[Subscription]:
        without_id = {b.user_id or "" for b in bodies if b.subscription_id is None}
        before = {user: await self._subscriptions.of_user(user) for user in without_id}
        return [_subscription(body, now, before.get(body.user_id or "", [])) for body in bodies]

    async def _wrong(
        self, wanted: Sequence[Subscription], now: datetime, allow_unknown_sku: bool
    ) -> list[TocsinError | None]:
        users = await self._profiles.known([w.user_id for w in wanted])
        skus: list[int | None] = [0] * len(wanted)
        if not allow_unknown_sku:
            skus = await self._subscriptions.available([w.sku for w in wanted])
        return [
            _why_not(each, user, stock is not None, now)
            for each, user, stock in zip(wanted, users, skus, strict=True)
        ]

    async def _known(self, ids: Iterable[str]) -> dict[str, Subscription]:
        found = await self._subscriptions.get_many(list(ids))
        return {s.subscription_id: s for s in found if s}

    async def _store(self, fresh: Sequence[Subscription]) -> None:
        await self._log(fresh)
        added = await self._subscriptions.add_many(fresh)
        if late := [s.subscription_id for s, new in zip(fresh, added, strict=True) if not new]:
            # the same request ran twice at once, and our line in the log may have come after its
            # end: say again how it stands
            await self._log((await self._known(late)).values())

    async def _log(self, subscriptions: Iterable[Subscription]) -> None:
        lines = [(s.subscription_id, encode(s)) for s in subscriptions]
        await self._publish.many(SUBSCRIPTIONS, lines)


def _subscription(
    body: SubscriptionBody, now: datetime, before: Sequence[Subscription]
) -> Subscription:
    return Subscription(
        subscription_id=body.subscription_id or _id(body, before),
        user_id=body.user_id or "",
        sku=body.sku,
        created_at=now,
        channels=body.channels,
        wanted=body.wanted,
        expires_at=body.expires_at,
    )


def _id(body: SubscriptionBody, before: Sequence[Subscription]) -> str:
    """Of the one that waits already; else derived from how many there were, so that two requests
    at once mean the same one."""
    same = [s for s in before if s.sku == body.sku]
    waiting = next((s.subscription_id for s in same if s.state == "waiting"), None)
    return waiting or derived_id("subscription", body.user_id or "", body.sku, str(len(same)))


def _why_not(
    wanted: Subscription, user_known: bool, sku_known: bool, now: datetime
) -> TocsinError | None:
    if not user_known:
        return unknown_user(wanted.user_id)
    if not sku_known:
        return Invalid(
            "sku",
            f"no stock of {wanted.sku!r} was ever reported; report it with POST /v1/inventory, or "
            "sign up ahead of it with ?allow_unknown_sku=true",
        )
    if wanted.expires_at is not None and wanted.expires_at <= now:
        return Invalid("expires_at", "is over already")
    return None


def _outcome(
    wanted: Subscription, known: Mapping[str, Subscription], fresh: Mapping[str, Subscription]
) -> Outcome:
    there = known.get(wanted.subscription_id) or fresh[wanted.subscription_id]
    if _content(there) != _content(wanted):
        name = wanted.subscription_id
        return Refused("conflict", f"subscription {name!r} is there already, with other content")
    return there, there is wanted


def _content(subscription: Subscription) -> tuple[object, ...]:
    s = subscription
    return s.user_id, s.sku, s.channels, s.wanted, s.expires_at
