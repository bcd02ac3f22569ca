"""Whom a hello admits: the grant behind its ticket, or behind its token."""

import asyncio
import time
from typing import Final, NamedTuple

from actors.sockets import close_codes
from actors.sockets.close_codes import Hangup
from actors.sockets.frames import Hello
from tocsin import tokens
from tocsin.errors import Refused
from tocsin.settings import Settings
from tocsin.store.tickets import Tickets
from tocsin.tokens import Identity

OPERATIONS: Final = "ops"
"""The audience of the console: what a service may join whose token may read statistics."""

LONGEST_SECONDS: Final = 86_400.0
"""No timer runs longer; a token that lasts longer is asked for again."""


class Grant(NamedTuple):
    """One of `user_id` and `audience` is set. The socket is good for `seconds`, None: for ever."""

    user_id: str = ""
    audience: str = ""
    seconds: float | None = None


class Admission:
    """Redeems tickets and checks tokens."""

    def __init__(self, settings: Settings, tickets: Tickets) -> None:
        self._settings, self._tickets = settings, tickets

    async def grant(self, hello: Hello) -> Grant:
        """Raises `Hangup`, UNAUTHORIZED or FORBIDDEN; a ticket is used up by asking."""
        if hello.ticket is not None:
            return parse(await self._tickets.redeem(hello.ticket))
        try:
            # a JWKS may have to be fetched, and that blocks
            identity = await asyncio.to_thread(tokens.verify, self._settings, hello.token or "")
        except Refused as error:
            raise Hangup(close_codes.UNAUTHORIZED, "token", str(error)) from None
        return of_identity(identity, time.time())


def parse(grant: str | None) -> Grant:
    """What a ticket grants, as the API wrote it."""
    kind, _, name = (grant or "").partition(":")
    if kind == "user" and name:
        return Grant(user_id=name)
    if kind == "audience" and name:
        return Grant(audience=name)
    raise Hangup(close_codes.UNAUTHORIZED, "ticket", "used, expired or never issued")


def of_identity(identity: Identity, now: float) -> Grant:
    """What a token grants at the Unix time `now`: people their inbox, services the live feed."""
    seconds = min(LONGEST_SECONDS, max(0.0, identity.expires - now))
    if identity.kind == "user":
        return Grant(user_id=identity.subject, seconds=seconds)
    if "stats:read" in identity.scopes:
        return Grant(audience=OPERATIONS, seconds=seconds)
    raise Hangup(close_codes.FORBIDDEN, "token", "a service needs the scope stats:read")
