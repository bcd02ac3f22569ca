"""Google's OAuth 2.0 token endpoint for service accounts (RFC 7523), and the check of tokens."""

import hmac
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from loadtest.sandbox.verdict import JSON, Headers, Verdict

PATH: Final = "/token"
EXPIRES_IN: Final = 3600
GOOGLE: Final = "https://oauth2.googleapis.com/token"
"""The audience google-auth writes, wherever the service account's token_uri points."""
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPES: Final = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("firebase.messaging", "cloud-platform")
)


class OAuth:
    """Grants tokens that carry their own expiry and a MAC, so a restarted sandbox knows them."""

    def __init__(
        self, public_key: RSAPublicKey, client_email: str, audiences: list[str], secret: bytes
    ) -> None:
        self._key, self._email = public_key, client_email
        self._audiences, self._secret = [GOOGLE, *audiences], secret
        self._good: dict[str, float] = {}

    def grant(self, method: str, body: bytes, now: float) -> Verdict:
        """POST /token."""
        if method != "POST":
            return _error(405, "invalid_request", "only POST")
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        if form.get("grant_type") != _GRANT:
            return _error(400, "unsupported_grant_type", "Invalid grant_type")
        try:
            claims = jwt.decode(
                form.get("assertion", ""), self._key, algorithms=["RS256"],
                audience=self._audiences, issuer=self._email,
                options={"require": ["iss", "aud", "iat", "exp"], "verify_iat": False,
                         "verify_exp": False},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            return _error(400, "invalid_grant", f"Invalid JWT: {error}")
        return self._granted(claims, now)

    def _granted(self, claims: dict[str, Any], now: float) -> Verdict:
        issued, expires = claims["iat"], claims["exp"]
        if not issued - 60 <= now < expires or expires - issued > 3600:
            return _error(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token")
        if not _SCOPES & set(str(claims.get("scope", "")).split()):
            return _error(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided")
        token = self._signed(int(now) + EXPIRES_IN, int(now * 1e6))
        answer = {"access_token": token, "expires_in": EXPIRES_IN, "token_type": "Bearer"}
        return Verdict(200, [JSON], msgspec.json.encode(answer))

    def _signed(self, expires: int, nonce: int) -> str:
        claim = f"{expires}.{nonce}"
        mac = hmac.new(self._secret, claim.encode(), sha256).hexdigest()
        return f"ya29.{claim}.{mac}"

    def valid(self, headers: Headers, now: float) -> bool:
        """Whether the request carries a token granted here that is not over."""
        authorization = headers.get("authorization") or ""
        expires = self._good.get(authorization)
        if expires is None:
            expires = self._verified(authorization)
            if expires > now:
                self._good = {key: at for key, at in self._good.items() if at > now}
                self._good[authorization] = expires
        return expires > now

    def _verified(self, authorization: str) -> float:
        scheme, _, token = authorization.partition(" ")
        prefix, *claim = token.split(".")
        if scheme.lower() != "bearer" or prefix != "ya29" or len(claim) != 3:
            return 0
        if not (claim[0].isdecimal() and claim[1].isdecimal()):
            return 0
        good = self._signed(int(claim[0]), int(claim[1]))
        return float(claim[0]) if hmac.compare_digest(good.encode(), token.encode()) else 0


def _error(status: int, error: str, description: str) -> Verdict:
    body = msgspec.json.encode({"error": error, "error_description": description})
    return Verdict(status, [JSON], body)
