"""The cryptography of one-time passwords: ids, MACs and boxes from one secret."""

import hmac
import os
import re
from base64 import urlsafe_b64encode
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tocsin.errors import ConfigError
from tocsin.settings import Settings

_MIN_SECRET = 16
_NONCE: Final = 12
_CHALLENGE_ID = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{11}\.[A-Za-z0-9_-]{22}")


class OtpCrypto:
    """TOCSIN_OTP_SECRET is the pepper of the MACs; the boxes' key is derived from it."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.otp_secret.get_secret_value().encode()
        if len(secret) < _MIN_SECRET:
            raise ConfigError(f"TOCSIN_OTP_SECRET: {_MIN_SECRET} bytes or more are needed")
        self._pepper = secret
        derive = HKDF(SHA256(), length=32, salt=None, info=b"tocsin otp deliverable 1")
        self._box = AESGCM(derive.derive(secret))

    def account(self, user_id: str) -> str:
        """A name for the account that tells nobody who it is."""
        return _short(self.mac("account", user_id), 16)

    def challenge_id(self, user_id: str, purpose: str) -> str:
        """``account.purpose.nonce``: names its keys, so that all share one hash slot."""
        place = _short(self.mac("purpose", user_id, purpose), 8)
        return f"{self.account(user_id)}.{place}.{_short(os.urandom(16), 16)}"

    def well_formed(self, challenge_id: str) -> bool:
        """Whether this could be one of ours."""
        return _CHALLENGE_ID.fullmatch(challenge_id) is not None

    def mac(self, *parts: str) -> bytes:
        """HMAC-SHA-256 over the parts, each with its length, so that no two lists are alike."""
        framed = b"".join(b"%d:%b" % (len(raw := part.encode()), raw) for part in parts)
        return hmac.digest(self._pepper, framed, "sha256")

    def seal(self, challenge_id: str, parts: list[str]) -> bytes:
        """AES-256-GCM, bound to the challenge."""
        nonce = os.urandom(_NONCE)
        return nonce + self._box.encrypt(nonce, msgspec.json.encode(parts), challenge_id.encode())

    def open(self, challenge_id: str, box: bytes) -> list[str] | None:
        """What was sealed; None if this secret, challenge or box is another one."""
        try:
            plain = self._box.decrypt(box[:_NONCE], box[_NONCE:], challenge_id.encode())
        except InvalidTag:
            return None
        return msgspec.json.decode(plain, type=list[str])


def _short(raw: bytes, size: int) -> str:
    return urlsafe_b64encode(raw[:size]).decode().rstrip("=")
