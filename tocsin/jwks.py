"""An identity provider's public keys (RFC 7517), fetched rarely and kept when it is away."""

import threading
import time
import urllib.request
from typing import Any

import jwt
import msgspec

from tocsin.errors import ConfigError

_FRESH_SECONDS = 300
_RETRY_SECONDS = 10
_TIMEOUT_SECONDS = 3
_MAX_BYTES = 1_000_000
_KTY = {"RS256": "RSA", "ES256": "EC"}


class Jwks:
    """Keys by `kid`. An unknown `kid` asks again, but never more often than once in 10 s, so that
    made-up tokens cannot make us hammer the provider."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("https://", "http://")):
            raise ConfigError(f"TOCSIN_JWT_JWKS_URL: {url!r} is not an http(s) address")
        self._url = url
        self._keys: dict[tuple[str | None, str], jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key for this id and algorithm, or None. A stale one serves while none can be had."""
        known = (kid, algorithm)
        now = time.monotonic()
        if known in self._keys and now - self._fetched < _FRESH_SECONDS:
            return self._keys[known]
        with self._lock:
            if now - self._tried >= _RETRY_SECONDS:
                self._tried = now
                self._refresh()
        return self._keys.get(known)

    def _refresh(self) -> None:
        try:
            # the scheme was checked when the address was set
            with urllib.request.urlopen(self._url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                listed = msgspec.json.decode(answer.read(_MAX_BYTES), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError):
            return
        self._keys = dict(_usable(listed.get("keys", [])))
        self._fetched = time.monotonic()


def _usable(listed: list[dict[str, Any]]) -> list[tuple[tuple[str | None, str], jwt.PyJWK]]:
    """Keys that verify signatures with an algorithm accepted here; others are passed over."""
    found = []
    for entry in listed:
        for algorithm, kty in _KTY.items():
            if entry.get("kty") != kty or entry.get("alg", algorithm) != algorithm:
                continue
            if entry.get("use", "sig") != "sig":
                continue
            try:
                found.append(((entry.get("kid"), algorithm), jwt.PyJWK(entry, algorithm)))
            except jwt.PyJWTError:
                continue
    return found
