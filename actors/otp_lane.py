"""The fast lane of one-time passwords: its own process, store connection and provider connections,
so that no backlog can stand in front of a log-in.

A plain asyncio class; actors/pool.py makes it a Ray actor. The code is in no result, log, repr or
exception of it: it goes from the store into a provider's request and nowhere else.
"""

import asyncio
import os
import random
import uuid
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from actors.decide import Address
from actors.hand_over import HandOver, bug
from actors.ledger import Ledger, patiently
from actors.message import Content, Message, Sent
from actors.pace import Pace
from actors.vendors import MakeVendors, make_vendors
from tocsin.clock import Clock, SystemClock
from tocsin.errors import Ambiguous, Permanent, SendError, Transient
from tocsin.records import Channel, Lane, OtpChallenge, Priority, State, encode
from tocsin.settings import Settings
from tocsin.store import Claims, SendResult, Templates, connect
from tocsin.store.buckets import Buckets
from tocsin.store.clock import StoreClock
from tocsin.store.otp import Deliverable, OtpStore
from tocsin.templates import Chosen, Renderer
from tocsin.templates.built_in import OTP

CHANNELS: Final = (Channel.SMS, Channel.PUSH, Channel.EMAIL)
TRIES: Final = 3
_BACKOFF: Final = (0.25, 1.0)
_MAX_WAIT: Final = 5.0
"""A provider that asks for more than this is not waited for: the person asks for a new code."""

_FLUSH_SECONDS: Final = 0.002

_decode = msgspec.json.Decoder(list[OtpChallenge]).decode


class OtpLane:
    """Sends challenges' codes. `name` is the same after every restart of it."""

    def __init__(
        self,
        settings: Settings,
        name: str = "otp-lane",
        make: MakeVendors = make_vendors,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self.name, self._make = settings, name, make
        self._clock: Clock = clock or SystemClock()
        self._by_store, self._chance = clock is None, chance
        self._keeping: asyncio.Task[None] | None = None
        self._owner = f"{name}:{uuid.uuid4().hex}"
        self._starting = asyncio.Lock()
        self._redis: Redis | None = None

    async def start(self) -> None:
        """Connect; idempotent, and `send` calls it.

        Raises `EngineUnavailable` without Redis, `ConfigError` for wrong credentials or secrets.
        """
        async with self._starting:
            if self._redis is None:
                redis = await connect(self._settings)
                if self._by_store:
                    self._clock = fleets = await StoreClock.set_by(redis)
                    self._keeping = asyncio.create_task(fleets.keep())
                self._store = OtpStore(redis, self._settings, self._clock)
                self._renderer, self._templates = Renderer(self._settings), Templates(redis)
                vendors = self._make(self._settings, CHANNELS, redis)
                pace = partial(Pace, Buckets(redis), "otp", self._settings.rate.otp)
                self._providers = HandOver(vendors, pace, self._clock, (Lane.HIGH,))
                self._ledger = Ledger(Claims(redis, self._owner), _FLUSH_SECONDS)
                self._ledger.start()
                self._redis = redis

    async def facts(self) -> dict[str, Any]:
        """`start`, and what people want to know of it: the process id."""
        await self.start()
        return {"pid": os.getpid()}

    async def send(self, batch: bytes) -> bytes:
        """An encoded list[OtpChallenge] in, an encoded list[SendResult] out: same length and order.

        Each ends here: the lane retries by itself, the same code, while it is valid.
        """
        await self.start()
        challenges = _decode(batch)
        futures, todo = await self._ledger.open([(delivery_id(c), 1) for c in challenges])
        try:
            mine = [challenges[i] for i, _ in todo]
            found = await patiently(
                partial(self._store.deliverable, [c.challenge_id for c in mine])
            )
            words = {Chosen(OTP, c.template_version) for c in mine if c.template_version}
            await patiently(partial(self._renderer.load, self._templates, words))
            ambiguous = [was for _, was in todo]
            await asyncio.gather(*map(self._settled, mine, found, ambiguous))
        except BaseException:
            self._ledger.abandon([delivery_id(challenges[i]) for i, _ in todo])
            raise
        if futures:
            await asyncio.wait(futures)
        return encode([future.result() for future in futures])

    async def close(self) -> None:
        """Finish what is at work and disconnect."""
        if self._keeping:
            self._keeping.cancel()
        if self._redis is not None:
            await self._ledger.close()
            await self._providers.close()
            await self._redis.aclose()
            self._redis = None

    async def _settled(
        self, challenge: OtpChallenge, found: Deliverable | None, ambiguous: bool
    ) -> None:
        name = delivery_id(challenge)
        try:
            result = await self._result(challenge, found, ambiguous)
        except Permanent as error:
            result = SendResult(name, State.FAILED, error.reason)
        except Exception as error:
            result = SendResult(name, State.FAILED, bug(name, error))
        self._ledger.settle(result, 1)

    async def _result(
        self, challenge: OtpChallenge, found: Deliverable | None, ambiguous: bool
    ) -> SendResult:
        """An earlier send that may have arrived does not matter here: the same code again."""
        name = delivery_id(challenge)
        left = (challenge.expires_at - self._clock.now()).total_seconds()
        if left <= 0:
            return SendResult(name, State.EXPIRED, "expired", ambiguous=ambiguous)
        if found is None:
            # used already, or replaced by a newer code: this one would only mislead
            return SendResult(name, State.CANCELLED, "code no longer valid", ambiguous=ambiguous)
        to = address_of(found)
        content = self._renderer.code(
            found.code,
            found.channel,
            max(1, ceil(left / 60)),
            challenge.template_version,
            challenge.locale,
        )
        self._ledger.begin(name)
        answer = await self._tried(message_of(challenge, content, to), to)
        return ended(name, answer, ambiguous, to.destination)

    async def _tried(self, message: Message, to: Address) -> Sent | SendError:
        """The last of at most TRIES answers; none is begun after the code's expiry."""
        answer: Sent | SendError = Permanent("not tried")
        for tries in range(TRIES):
            (answer,) = await self._providers.all(lambda _: message, [to])
            wait = next_wait(answer, tries, self._chance())
            if wait is None or self._over_in(message) <= wait:
                break
            await asyncio.sleep(wait)
        return answer

    def _over_in(self, message: Message) -> float:
        expires = message.expires_at
        return (expires - self._clock.now()).total_seconds() if expires else 0.0


def delivery_id(challenge: OtpChallenge) -> str:
    """A challenge on its channel, as every other delivery is named."""
    return f"{challenge.challenge_id}:{challenge.channel}"


def address_of(found: Deliverable) -> Address:
    """A phone number, a mailbox, or ``platform:device token``."""
    if found.channel is Channel.PUSH:
        platform, _, token = found.recipient.partition(":")
        return Address(platform, token)
    return Address(found.channel.value, found.recipient)


def message_of(challenge: OtpChallenge, content: Content, to: Address) -> Message:
    """The code's message; a repetition has the same ids and replaces the one before."""
    return Message(
        delivery_id(challenge), "OTP", to.value, content, Priority.CRITICAL, challenge.expires_at
    )


def next_wait(answer: Sent | SendError, tries: int, chance: float) -> float | None:
    """Seconds until the next try after `tries` + 1 of them, with ±20 % jitter; None: no more.

    Waits as long as the provider asks, unless that is too long for someone who is logging in.
    """
    if not isinstance(answer, (Transient, Ambiguous)) or tries >= TRIES - 1:
        return None
    asked = answer.retry_after if isinstance(answer, Transient) else None
    if asked is not None and asked > _MAX_WAIT:
        return None
    return max(asked or 0.0, _BACKOFF[tries] * (0.8 + 0.4 * chance))


def ended(
    name: str, answer: Sent | SendError, ambiguous: bool, destination: str = ""
) -> SendResult:
    """The one result of a challenge; there is no later attempt.

    Without the hashes other messages have: a code of six digits is found from its hash by trying
    them all, and of its variables the code is the only one that differs.
    """
    if isinstance(answer, Sent):
        return SendResult(
            name,
            State.DELIVERED,
            "",
            answer.provider,
            answer.provider_message_id,
            ambiguous=ambiguous,
            destination=destination,
        )
    ambiguous = ambiguous or isinstance(answer, Ambiguous)
    return SendResult(
        name,
        State.FAILED,
        answer.reason,
        answer.provider,
        ambiguous=ambiguous,
        destination=destination,
    )
