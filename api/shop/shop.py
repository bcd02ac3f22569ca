"""What the shop does: the process's own services, put together as a shop needs them."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from api.idempotent import Key
from api.people import known
from api.services import Services
from api.shop import counter, orders
from api.shop.limit import Limit
from api.shop.opening import Opening
from api.shop.phone import Phone
from api.shop.products import PRODUCTS, SKUS
from api.shop.shoppers import addresses, masked, shopper, user_id_of
from tocsin.errors import EngineUnavailable, Refused
from tocsin.ids import marked
from tocsin.records import InventoryChange, Profile, Subscription, decode, encode
from tocsin.records.broadcast import ADMINS
from tocsin.store import keys
from tocsin.store.client import raw
from tocsin.store.queues import Queues
from tocsin.tokens import mint
from tocsin.topics import INVENTORY

SESSION_SECONDS: Final = 3600
MOST_WAITING: Final = 50
"""Of a queue as many are shown."""


class Session(msgspec.Struct, frozen=True):
    """Logged in: the token is the person's own, as any shop's back end would mint it."""

    token: str
    user_id: str
    name: str
    expires_in: int = SESSION_SECONDS


class Wait(msgspec.Struct, frozen=True):
    """A sign-up of one's own, and where it stands."""

    subscription_id: str
    sku: str
    channels: tuple[str, ...]
    place: int
    of: int


class Me(msgspec.Struct, frozen=True):
    """Who is logged in."""

    user_id: str
    name: str
    admin: bool
    waiting: list[Wait]


class Shop:
    """One per process, beside the sandbox only."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.opening = Opening(services)
        self.phone = Phone(services.settings.sandbox_url)
        self._logins, self._writes, self._reads = Limit(2, 60), Limit(20, 200), Limit(100, 500)

    @property
    def queues(self) -> Queues:
        """Who waits."""
        return Queues(self.services.redis)

    def logging_in(self) -> None:
        """Raises `Refused` when the process has enough to do."""
        self._logins.take(time.monotonic())

    def writing(self) -> None:
        """The same, for whatever else changes something."""
        self._writes.take(time.monotonic())

    def reading(self) -> None:
        """The same, for what costs something to find out and anybody may ask."""
        self._reads.take(time.monotonic())

    async def register(self, name: str, number: str) -> Profile:
        """The account of this number; who has shopped before keeps the name of then."""
        made = shopper(name, number, self.services.clock.now())
        return await self.services.people.change(made.user_id, lambda before: before or made)

    async def session(self, number: str) -> Session:
        """For who has shown the code."""
        user_id = user_id_of(number)
        profile = known(await self.services.profiles.get(user_id), user_id)
        token = mint(
            self.services.settings,
            subject=user_id,
            kind="user",
            scopes=frozenset(),
            seconds=SESSION_SECONDS,
        )
        return Session(token, user_id, profile.name or "")

    async def me(self, user_id: str) -> Me:
        """Raises `Refused` (404) for who was erased meanwhile."""
        profile = known(await self.services.profiles.get(user_id), user_id)
        mine = await self.services.subscriptions.of_user(user_id)
        waiting = [s for s in mine if s.state == "waiting" and s.sku in PRODUCTS]
        places = await self.queues.places(waiting)
        waits = [
            Wait(s.subscription_id, s.sku, tuple(s.channels), *place)
            for s, place in zip(waiting, places, strict=True)
            if place.place
        ]
        return Me(user_id, profile.name or "", ADMINS in profile.topics, waits)

    async def addresses(self, user_id: str) -> list[str]:
        """Where a person's messages arrive."""
        return addresses(known(await self.services.profiles.get(user_id), user_id))

    async def order(self, user_id: str, payload: bytes, key: Key) -> bytes:
        """`orders.Placed` as JSON, the same when asked again under the same key."""
        order = decode(orders.Order, payload)

        async def work() -> bytes:
            known(await self.services.profiles.get(user_id), user_id)
            skus = [line.sku for line in order.lines]
            left = await self.services.subscriptions.available(skus)
            orders.checked(order, dict(zip(skus, left, strict=True)))
            placed = orders.placed(order, marked(key.id(0)))
            # the goods last: were it the other way round, who asks again after a crash would find
            # the shelf emptied by himself
            await self.services.accept.one(encode(orders.confirmation(user_id, placed)), None)
            now = self.services.clock.now()
            await self.stock(orders.changes(order, placed.notification_id, now))
            return encode(placed)

        return await key.once(work)

    async def stock(self, changes: Sequence[InventoryChange]) -> None:
        """As a shop's own system would report it."""
        await self.services.publish.many(INVENTORY, [(c.sku, encode(c)) for c in changes])

    async def shelves(self) -> list[counter.Shelf]:
        """Every product, and how many wait."""
        stock = await self.opening.stock()
        return counter.shelves(stock, await self.queues.lengths(SKUS))

    async def told(self, subscription_ids: Sequence[str]) -> list[counter.Told]:
        """How far these sign-ups have come. Two reads of Redis, and one of ClickHouse while it
        answers: without it, what the senders remember."""
        found = await self.services.subscriptions.get_many(subscription_ids)
        there = [s for s in found if isinstance(s, Subscription) and s.sku in PRODUCTS]
        if not there:
            return []
        deliveries = counter.deliveries(there)
        claims = raw(await self.services.redis.mget([keys.claim(d) for d in deliveries]))
        try:
            ended = await self.services.figures.told(deliveries)
        except EngineUnavailable:
            ended = []
        return counter.told(there, claims, ended)

    async def admin(self, user_id: str, *, join: bool) -> None:
        """In the demo everybody may belong to the admins."""

        def step(before: Profile | None) -> Profile:
            there = known(before, user_id)
            topics = {*there.topics, ADMINS} if join else {*there.topics} - {ADMINS}
            wanted = tuple(sorted(topics))
            return there if wanted == there.topics else replace(there, topics=wanted)

        await self.services.people.change(user_id, step)

    async def present(self) -> list[str]:
        """The admins who are connected now, masked."""
        members = await self.services.present.followers(ADMINS, "", MOST_WAITING)
        return [masked(user_id) for user_id in members.user_ids]

    async def tell_admins(self, form: counter.BroadcastForm, now: datetime) -> str:
        """A broadcast's id."""
        body = encode(counter.broadcast(form, now))
        return (await self.services.broadcasts.accept(body, None)).broadcast_id

    def own(self, challenge_id: str, number: str) -> None:
        """Raises `Refused` for the challenge of another number's account."""
        if not self.services.otp.is_of(challenge_id, user_id_of(number)):
            raise Refused("otp_wrong", "the code is wrong, used, replaced or over")
