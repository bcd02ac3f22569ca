"""FCM's access token: refreshed by google-auth in a thread, once for all, before expiry."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import requests
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from tocsin.errors import Permanent, ProviderDown

SCOPES: Final = ("https://www.googleapis.com/auth/firebase.messaging",)
EARLY_SECONDS: Final = 300
"""Refresh this long before expiry, so that no request leaves with a token about to be refused."""


def service_credentials(path: Path) -> service_account.Credentials:
    """The service account of a JSON key file. Raises ValueError for one that is malformed."""
    return service_account.Credentials.from_service_account_file(  # type: ignore[no-any-return, no-untyped-call]
        str(path), scopes=SCOPES
    )


class FcmToken:
    """Keeps `credentials` fresh. Callers wait only while there is no usable token at all."""

    def __init__(
        self,
        credentials: Any,
        ca_file: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._credentials, self._now = credentials, now
        self._session = requests.Session()
        if ca_file:
            self._session.verify = str(ca_file)
        self._lock = asyncio.Lock()
        self._token, self._expires = "", 0.0

    async def get(self) -> str:
        """A token good for some minutes. Raises `ProviderDown` when Google cannot be asked, and
        `Permanent` when it refuses this account."""
        if self._expires - self._now() < EARLY_SECONDS:
            async with self._lock:
                if self._expires - self._now() < EARLY_SECONDS:
                    await self._refresh()
        return self._token

    def reject(self, token: str) -> None:
        """FCM answered 401 to `token`: the next `get` asks for another."""
        if token == self._token:
            self._expires = 0.0

    async def _refresh(self) -> None:
        request = Request(self._session)
        try:
            await asyncio.to_thread(self._credentials.refresh, request)
        except TransportError as error:
            raise ProviderDown(f"token: {type(error).__name__}", "fcm") from None
        except GoogleAuthError as error:
            again = getattr(error, "retryable", False)
            kind = ProviderDown if again else Permanent
            raise kind(f"token: {type(error).__name__}", "fcm") from None
        self._token = str(self._credentials.token)
        expiry: datetime = self._credentials.expiry  # naive, in UTC
        self._expires = expiry.replace(tzinfo=UTC).timestamp()

    def close(self) -> None:
        """Close the session of the token endpoint."""
        self._session.close()
