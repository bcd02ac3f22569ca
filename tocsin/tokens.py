"""Who is calling: JSON Web Tokens, minted with the shared secret, verified against it or a JWKS.

The header's `alg` only chooses between two disjoint worlds: HS256 is checked with the shared
secret and nothing else, RS256 and ES256 only with a key of the matching type from the JWKS. A
public key can thus never serve as an HMAC secret, and `none` is in neither world.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, Final, Literal

import jwt

from tocsin.errors import ConfigError, Refused
from tocsin.jwks import Jwks
from tocsin.settings import Settings

AUDIENCE: Final = "tocsin"
SCOPES: Final = frozenset(
    {
        "users:read", "users:write", "subscriptions:read", "subscriptions:write",
        "notifications:read", "notifications:write", "inventory:write", "otp", "inbox",
        "stats:read", "broadcasts:read", "broadcasts:write", "templates:read", "templates:write",
        "ops:write",
    }
)  # fmt: skip
"""What a service may be allowed. A user's token needs none for what is the user's own."""

_MIN_SECRET = 32
_JWKS_LEEWAY = 30
_MAX_CHARS = 8_192

Kind = Literal["user", "service"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller. A `user` acts only on itself; a `service` on what its scopes name.

    `expires` is a Unix time, for those who keep an Identity for longer than one call.
    """

    subject: str
    kind: Kind
    scopes: frozenset[str]
    expires: float = 0


def mint(
    settings: Settings, *, subject: str, kind: Kind, scopes: frozenset[str], seconds: float
) -> str:
    """An HS256 token, valid for `seconds`. Raises `ConfigError` without a proper secret."""
    now = time.time()
    claims = {
        "sub": subject,
        "aud": AUDIENCE,
        "kind": kind,
        "scope": " ".join(sorted(scopes)),
        "iat": int(now),
        "exp": ceil(now + seconds),
    }
    return jwt.encode(claims, secret_of(settings), algorithm="HS256")


def verify(settings: Settings, token: str) -> Identity:
    """Whose token this is. Raises `Refused("unauthorized", why)`.

    May block for up to 3 s, at most once in 10 s, while keys of a JWKS are fetched.
    """
    if len(token) > _MAX_CHARS:
        raise _refused(f"longer than {_MAX_CHARS:,} characters")
    try:
        algorithm = jwt.get_unverified_header(token).get("alg")
        if algorithm == "HS256" and settings.jwt_secret.get_secret_value():
            return _identity(_by_secret(token, secret_of(settings)))
        if algorithm in ("RS256", "ES256") and settings.jwt_jwks_url:
            return _identity(_by_jwks(token, str(algorithm), _jwks(settings.jwt_jwks_url)))
    except jwt.ExpiredSignatureError:
        raise _refused("expired") from None
    except jwt.InvalidSignatureError:
        raise _refused("bad signature") from None
    except (jwt.InvalidAudienceError, jwt.MissingRequiredClaimError) as error:
        raise _refused(str(error)[:1].lower() + str(error)[1:]) from None
    except (jwt.PyJWTError, ValueError) as error:
        raise _refused(f"malformed: {error}") from None
    raise _refused(f"algorithm {algorithm!r} is not accepted here")


def secret_of(settings: Settings) -> str:
    """The shared secret. Raises `ConfigError` when it is shorter than HS256 needs (RFC 7518)."""
    secret = settings.jwt_secret.get_secret_value()
    if len(secret.encode()) < _MIN_SECRET:
        raise ConfigError(f"TOCSIN_JWT_SECRET: {_MIN_SECRET} bytes or more are needed for HS256")
    return secret


def _by_secret(token: str, secret: str) -> dict[str, Any]:
    # the secret is Tocsin's own, so a token without an audience is still meant for it
    claims = jwt.decode(
        token, secret, algorithms=["HS256"],
        options={"require": ["exp", "sub"], "verify_aud": False, "verify_iat": False},
    )  # fmt: skip
    if AUDIENCE not in _words(claims.get("aud", AUDIENCE)):
        raise jwt.InvalidAudienceError("meant for another audience")
    return claims


def _by_jwks(token: str, algorithm: str, jwks: Jwks) -> dict[str, Any]:
    key = jwks.key(jwt.get_unverified_header(token).get("kid"), algorithm)
    if key is None:
        raise jwt.InvalidSignatureError
    return jwt.decode(
        token, key, algorithms=[algorithm], audience=AUDIENCE, leeway=_JWKS_LEEWAY,
        options={"require": ["exp", "sub", "aud"], "verify_iat": False},
    )  # fmt: skip


def _identity(claims: dict[str, Any]) -> Identity:
    kind: Kind = "service" if claims.get("kind") == "service" else "user"
    subject = claims["sub"]
    if not 1 <= len(subject) <= 128:
        raise ValueError("`sub` must have 1 to 128 characters")
    scopes = _words(claims.get("scope", claims.get("scp", "")))
    return Identity(subject, kind, frozenset(scopes), float(claims["exp"]))


def _words(value: object) -> list[str]:
    """Both shapes in use: one string with spaces, or a list."""
    if isinstance(value, str):
        return value.split()
    return [str(word) for word in value] if isinstance(value, list) else []


def _refused(why: str) -> Refused:
    return Refused("unauthorized", f"token refused: {why}")


@lru_cache(maxsize=8)
def _jwks(url: str) -> Jwks:
    return Jwks(url)
