"""The keys of links: one for each secret and purpose, derived once."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT: Final = b"tocsin links"
_KEY_BYTES: Final = 64


class Key(NamedTuple):
    """`id` (a byte) tells which secret sealed a token, so that secrets can be changed."""

    id: bytes
    ciphers: Mapping[str, AESSIV]


class Ring:
    """The secret that seals, and those before it, which still open."""

    def __init__(self, secret: str, old: tuple[str, ...], purposes: tuple[str, ...]) -> None:
        self.current = _key(secret, purposes) if secret else None
        self._all = [_key(each, purposes) for each in (secret, *old) if each]

    def named(self, key_id: bytes) -> Iterator[Key]:
        """Those with this id: one, or with bad luck two."""
        return (key for key in self._all if key.id == key_id)


@lru_cache(maxsize=64)
def _key(secret: str, purposes: tuple[str, ...]) -> Key:
    return Key(
        _derived(secret, "id", 1),
        {each: AESSIV(_derived(secret, each, _KEY_BYTES)) for each in purposes},
    )


def _derived(secret: str, purpose: str, size: int) -> bytes:
    info = f"tocsin link {purpose}".encode()
    return HKDF(SHA256(), size, _SALT, info).derive(secret.encode())
