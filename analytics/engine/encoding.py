"""HTTP content codings, as clickhouse-connect, curl and browsers offer them."""

import gzip
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import lz4.frame  # type: ignore[import-untyped]

from analytics.engine.problem import NOT_IMPLEMENTED, Problem

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_Coder = Callable[[bytes], bytes]

_CODERS: Final[Mapping[str, tuple[_Coder, _Coder]]] = {
    "lz4": (lz4.frame.compress, lz4.frame.decompress),
    "zstd": (zstd.compress, zstd.decompress),
    "gzip": (lambda data: gzip.compress(data, 3), gzip.decompress),
    "deflate": (lambda data: zlib.compress(data, 3), zlib.decompress),
}
_WORTH: Final = 1024


def decoded(body: bytes, coding: str) -> bytes:
    """A request's body without its Content-Encoding. Raises `Problem` for one unknown or broken."""
    if not coding or coding == "identity":
        return body
    if coding not in _CODERS:
        raise Problem(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", f"Content-Encoding {coding}")
    try:
        return _CODERS[coding][1](body)
    except (RuntimeError, OSError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise Problem(354, "CANNOT_DECOMPRESS", f"{coding}: {error}") from None


def encoded(body: bytes, accepted: str) -> tuple[bytes, str]:
    """The body in the first coding the client named that we have, and its name ("" for none)."""
    offers = (offer.partition(";")[0].strip() for offer in accepted.split(","))
    coding = next((offer for offer in offers if offer in _CODERS), "")
    if not coding or len(body) < _WORTH:
        return body, ""
    return _CODERS[coding][0](body), coding
