"""A service's few calls before a load begins: plain sockets, so that they work under gevent too."""

import json
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tocsin.errors import EngineUnavailable, Refused
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint

_TRIES: Final = 5
_SECONDS: Final = 60.0
_TOKEN_SECONDS: Final = 8 * 24 * 3_600


def service_token(settings: Settings) -> str:
    """A token with every scope that outlasts the longest load. Raises `ConfigError`."""
    return mint(settings, subject="load", kind="service", scopes=SCOPES, seconds=_TOKEN_SECONDS)


class Service:
    """One kept connection to the API."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.public_url.rstrip("/")
        token = service_token(settings)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._connection: HTTPConnection | None = None

    def post(self, path: str, body: object) -> Any:
        """The JSON of a success; what can be asked twice without harm only.

        Raises `EngineUnavailable` when none comes, `Refused` for a refusal.
        """
        payload, said = msgspec.json.encode(body), ""
        for tries in range(_TRIES):
            try:
                status, answer = self._once(path, payload)
            except (OSError, HTTPException) as error:
                self._connection, said = None, str(error) or type(error).__name__
            else:
                if status < 300:
                    return answer
                said = f"{status}: {answer.get('detail') or answer.get('title')}"
                if status not in (429, 500, 502, 503, 504):
                    raise Refused("load", f"{path}: {said}")
            time.sleep(0.2 * 2**tries)
        raise EngineUnavailable("The API", self._url, f"{path}: {said}; is `tocsin up` running?")

    def _once(self, path: str, payload: bytes) -> tuple[int, Any]:
        if self._connection is None:
            parts = urlsplit(self._url)
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
        place = urlsplit(self._url).path + path
        self._connection.request("POST", place, payload, self._headers)
        response = self._connection.getresponse()
        raw = response.read()
        return response.status, json.loads(raw) if raw else {}

    def batch(self, path: str, name: str, items: Sequence[object]) -> None:
        """A batch of which every item has to be taken. Raises `Refused` with the first that was
        not."""
        found = self.post(path, {name: items})["results"]
        for place, item in enumerate(found):
            if item["status"] >= 400:
                raise Refused("load", f"{path}, item {place}: {item.get('detail')}")

    def close(self) -> None:
        """Drop the connection."""
        if self._connection:
            self._connection.close()
