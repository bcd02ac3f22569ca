"""Who may do what: a bearer token becomes an Identity, an Identity is let through or refused."""

import asyncio
import time
from typing import Final

from tocsin.errors import Refused
from tocsin.settings import Settings
from tocsin.tokens import Identity, secret_of, verify

_REMEMBER_SECONDS: Final = 60.0
_REMEMBERED: Final = 10_000


class Denied(Refused):
    """A refusal with the challenge that RFC 6750 wants beside it."""

    def __init__(self, code: str, reason: str, challenge: str) -> None:
        super().__init__(code, reason)
        self.headers = {"WWW-Authenticate": f'Bearer realm="tocsin"{challenge}'}


class Auth:
    """Verifies tokens, and remembers for a minute what they said: shops send the same one with
    every request, and verifying costs more than all the rest of authorisation."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigError` when no token could ever be verified."""
        if not settings.jwt_jwks_url:
            secret_of(settings)
        self._settings = settings
        self._known: dict[str, tuple[Identity, float]] = {}

    async def identify(self, header: str | None) -> Identity:
        """The caller by its Authorization header. Raises `Denied` (401)."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Denied("unauthorized", "a bearer token is needed (`tocsin token` mints one)", "")
        if (known := self._known.get(token)) and time.time() < known[1]:
            return known[0]
        return self._remember(token, await self._verified(token.strip()))

    async def _verified(self, token: str) -> Identity:
        try:
            if self._settings.jwt_jwks_url:  # keys may have to be fetched
                return await asyncio.to_thread(verify, self._settings, token)
            return verify(self._settings, token)
        except Refused as error:
            challenge = f', error="invalid_token", error_description="{_quoted(error.reason)}"'
            raise Denied("unauthorized", error.reason, challenge) from None

    def _remember(self, token: str, identity: Identity) -> Identity:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        until = min(time.time() + _REMEMBER_SECONDS, identity.expires)
        self._known[token] = (identity, until)
        return identity


def _quoted(text: str) -> str:
    """Fit for a quoted header value."""
    return "".join(c for c in text if " " <= c <= "~" and c not in '"\\')


def require_service(identity: Identity, *scopes: str) -> None:
    """A service with one of the scopes. Raises `Denied` (403) naming the first."""
    if identity.kind != "service":
        raise _denied("this is for services", scopes[0])
    if identity.scopes.isdisjoint(scopes):
        raise _denied("the token lacks a scope", scopes[0])


def require_self_or(identity: Identity, user_id: str, *scopes: str) -> None:
    """The person `user_id`, or a service with one of the scopes."""
    if identity.kind == "user":
        if identity.subject != user_id:
            raise _denied("a user's token acts on that user only", scopes[0])
        return
    require_service(identity, *scopes)


def require_person(identity: Identity) -> None:
    """A user's token, whoever's."""
    if identity.kind != "user":
        raise Denied("forbidden", "this is for users: a service has no inbox and no socket", "")


def _denied(why: str, scope: str) -> Denied:
    challenge = f', error="insufficient_scope", scope="{scope}"'
    return Denied("forbidden", f"{why}; `{scope}` is needed", challenge)
