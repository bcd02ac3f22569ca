"""A server's frames as bytes (RFC 6455, 5.2): unmasked, whole, without extensions."""

from typing import Final

PING: Final = b"\x89\x00"


def text(payload: bytes) -> bytes:
    """The text frame around UTF-8 `payload`."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload
