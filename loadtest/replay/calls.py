"""The API as the replay calls it: JSON in and out, patient with one that restarts or is busy."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any, Final

import msgspec
from pyreqwest.client import Client
from pyreqwest.exceptions import BuilderError, ConnectError, PyreqwestError
from pyreqwest.request import ConsumedRequest

from tocsin.errors import EngineUnavailable, Invalid, Refused
from tocsin.settings import Settings
from tocsin.tokens import mint

PATIENCE: Final = 90.0
"""Seconds one call is tried again while nothing but busy or broken answers come."""
_REQUEST_TIMEOUT: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = 2.0
_LONGEST_ASKED_PAUSE: Final = 30.0
SCOPES: Final = frozenset({"users:write", "subscriptions:write", "notifications:write", "otp"})
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Answer(msgspec.Struct, frozen=True):
    """What came back. `status` 0: nothing did, and `sent` says whether the request had left.

    `unsure` says that an earlier try of this call left and was not answered, or answered by a
    fault: it may have worked.
    """

    status: int
    body: Any = None
    retry_after: float | None = None
    sent: bool = True
    unsure: bool = False

    @property
    def unanswered(self) -> bool:
        """Whether nobody can tell if the request was carried out."""
        return self.sent and (not self.status or self.status >= 500)

    @property
    def problem(self) -> str:
        """Why it was refused, in the API's own words."""
        body = self.body if isinstance(self.body, dict) else {}
        said = body.get("detail") or body.get("title") or "no reason given"
        return f"{self.status}: {said}"


def pause(tries: int, retry_after: float | None, jitter: float) -> float:
    """Seconds before the next try: what was asked for (capped), else exponential with jitter
    (a number from 0 to 1)."""
    if retry_after is not None:
        return min(max(retry_after, 0.05), _LONGEST_ASKED_PAUSE)
    return min(0.1 * 2.0**tries, _LONGEST_PAUSE) * (0.5 + jitter / 2)


class ServiceToken:
    """A service's token, minted anew before it ends: a replay may last as long as its file."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._token, self._until = settings, "", 0.0

    def __call__(self) -> str:
        """The current one. Raises `ConfigError` without a proper TOCSIN_JWT_SECRET."""
        now = time.monotonic()
        if now >= self._until:
            self._token = mint(
                self._settings, subject="replay", kind="service", scopes=SCOPES, seconds=3600
            )
            self._until = now + 1800
        return self._token


class Api:
    """One service's calls. Safe to use from many tasks."""

    def __init__(
        self, client: Client, url: str, token: Callable[[], str], stop: asyncio.Event,
        patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self._client, self._url, self._token = client, url.rstrip("/"), token
        self._stop, self._patience = stop, patience

    async def post(self, path: str, body: Any, final: frozenset[int] = frozenset()) -> Answer:
        """POST until there is an answer worth having: a success, a refusal that waiting a moment
        cannot change, or a status in `final`.

        Raises `EngineUnavailable` when none came within the patience, or once stopped.
        """
        payload, until, unsure = msgspec.json.encode(body), time.monotonic() + self._patience, False
        for tries in count():
            answer = await self._try(path, payload)
            if answer.status and (answer.status not in _AGAIN or answer.status in final):
                break
            unsure = unsure or answer.unanswered
            delay = pause(tries, answer.retry_after, random.random())
            if time.monotonic() + delay > until or await stopped_within(self._stop, delay):
                raise self._unavailable(answer)
        return msgspec.structs.replace(answer, unsure=unsure)

    def _unavailable(self, answer: Answer) -> EngineUnavailable:
        said = f"it answers {answer.problem}" if answer.status else "is `tocsin up` running?"
        return EngineUnavailable("The API", self._url, said)

    async def _try(self, path: str, payload: bytes) -> Answer:
        try:
            response = await self._request(path, payload).send()
            raw = bytes(await response.bytes())
        except BuilderError as error:
            raise Invalid(self._url, f"not the URL of an API: {error}") from None
        except PyreqwestError as error:
            return Answer(0, sent=not isinstance(error, ConnectError))
        return Answer(response.status, _json(raw), _seconds(response.get_header("Retry-After")))

    def _request(self, path: str, payload: bytes) -> ConsumedRequest:
        return (
            self._client.post(self._url + path)
            .bearer_auth(self._token())
            .header("Content-Type", "application/json")
            .body_bytes(payload)
            .timeout(_REQUEST_TIMEOUT)
            .build()
        )


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Sleep, but not past `stop`; whether it was set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


def accepted(answer: Answer, what: str) -> Any:
    """The body of a success. Raises `Refused` with what the API said."""
    if answer.status < 300:
        return answer.body
    raise Refused("replay", f"{what} refused by the API: {answer.problem}")


def _json(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError:
        return None


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
