"""Customers logging in: a code is asked for, read off the phone, and given back."""

import asyncio
from collections import defaultdict
from typing import Final

from loadtest.people import person
from loadtest.replay.calls import Answer, Api, accepted, stopped_within
from loadtest.replay.phones import Phones
from tocsin.errors import Refused

_AT_ONCE: Final = 50
_SECONDS_FOR_SMS: Final = 30.0
_SECONDS_FOR_STRAY_SMS: Final = 5.0
_TRIES: Final = 4
_COOLDOWN: Final = 30.0
_LONGEST_WAIT: Final = 60.0
"""Nobody stands at the till for longer; the system asks for more after five codes in a row."""
_TOO_SOON: Final = frozenset({429})


class Logins:
    """Log-ins, a bounded number at once, and one at a time per customer: until a code is verified,
    another is refused for half a minute."""

    def __init__(self, api: Api, phones: Phones | None, stop: asyncio.Event) -> None:
        """Without `phones` (real providers) codes are asked for and never given back."""
        self._api, self._phones, self._stop = api, phones, stop
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def log_in(self, customer: str) -> bool:
        """One log-in, from the request to the verdict: whether a code came and was right.

        Raises `Refused` when no code was to be had, `EngineUnavailable` when the API is away.
        """
        async with self._turns[customer], self._slots:
            return await self._log_in(customer, person(customer).phone or "")

    async def _log_in(self, customer: str, number: str) -> bool:
        before = await self._phones.last(number) if self._phones else 0
        for _ in range(_TRIES):
            asked = await self._api.post("/v1/otp", _request(customer), final=_TOO_SOON)
            if asked.status not in _TOO_SOON:
                return await self._give_back(asked, number, before)
            if asked.unsure and await self._arrived(number, before):
                # only the answer was lost, and in it which challenge the code belongs to
                return False
            wait = _COOLDOWN if asked.retry_after is None else asked.retry_after
            if wait > _LONGEST_WAIT or await stopped_within(self._stop, wait):
                break
        raise Refused("replay", f"no code for {customer}: {asked.problem}")

    async def _arrived(self, number: str, before: int) -> bool:
        if self._phones is None:
            return True
        return await self._phones.code(number, before, _SECONDS_FOR_STRAY_SMS) is not None

    async def _give_back(self, asked: Answer, number: str, before: int) -> bool:
        challenge = accepted(asked, "a one-time code")
        if self._phones is None:
            return False
        code = await self._phones.code(number, before, _SECONDS_FOR_SMS)
        if code is None:
            return False
        body = {"challenge_id": challenge["challenge_id"], "code": code}
        answer = await self._api.post("/v1/otp/verify", body)
        return answer.status == 200


def _request(customer: str) -> dict[str, str]:
    return {"user_id": customer, "channel": "sms", "purpose": "login"}
