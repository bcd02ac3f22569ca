"""Apple's check of the provider token: an ES256 JWT, made at most an hour ago, renewed rarely."""

from collections import deque
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from loadtest.sandbox.verdict import Headers

MAX_AGE: Final = 3600.0
_SKEW: Final = 60.0
_UPDATE_WINDOW: Final = 1200.0
MAX_UPDATES: Final = 30
"""New tokens of one key within 20 minutes before `TooManyProviderTokenUpdates`.

Apple asks for at most one and does not say what it tolerates; this leaves room for a test run's
restarts and still catches a token per connection.
"""


class ProviderTokens:
    """Verifies a token once and remembers it: the next request with it costs a dict look-up."""

    def __init__(self, public_key: EllipticCurvePublicKey, key_id: str, team_id: str) -> None:
        self._key, self._key_id, self._team_id = public_key, key_id, team_id
        self._issued: dict[str, float] = {}
        self._updates: deque[float] = deque()

    @property
    def seen(self) -> int:
        """How many different valid tokens are remembered."""
        return len(self._issued)

    def refusal(self, headers: Headers, now: float) -> str:
        """Apple's reason against this request's token, empty when it is good."""
        authorization = headers.get("authorization")
        if authorization is None:
            return "MissingProviderToken"
        issued = self._issued.get(authorization)
        if issued is None:
            reason, issued = self._verify(authorization, now)
            if reason:
                return reason
        if now - issued > MAX_AGE:
            self._issued.pop(authorization, None)
            return "ExpiredProviderToken"
        return ""

    def _verify(self, authorization: str, now: float) -> tuple[str, float]:
        scheme, _, token = authorization.partition(" ")
        try:
            if (
                scheme.lower() != "bearer"
                or jwt.get_unverified_header(token)["kid"] != self._key_id
            ):
                return "InvalidProviderToken", 0
            claims = jwt.decode(
                token, self._key, algorithms=["ES256"],
                options={"require": ["iss", "iat"], "verify_iat": False, "verify_exp": False},
            )  # fmt: skip
            issued = float(claims["iat"])
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            return "InvalidProviderToken", 0
        if claims["iss"] != self._team_id or issued > now + _SKEW:
            return "InvalidProviderToken", 0
        if now - issued > MAX_AGE:
            return "ExpiredProviderToken", 0
        return self._remember(authorization, issued, now), issued

    def _remember(self, authorization: str, issued: float, now: float) -> str:
        while self._updates and now - self._updates[0] > _UPDATE_WINDOW:
            self._updates.popleft()
        if len(self._updates) >= MAX_UPDATES:
            return "TooManyProviderTokenUpdates"
        self._updates.append(now)
        self._issued = {known: at for known, at in self._issued.items() if now - at <= MAX_AGE} | {
            authorization: issued
        }
        return ""
