"""What a message said, without a word of it: 32 bits by which it is known when it is made again.

Never of a one-time code: there are a million of them, and whoever has the hash tries them all.
"""

import re
from hashlib import blake2b
from typing import Any, Final

import msgspec

from tocsin.templates.content import Content

_SEALED: Final = re.compile(rb"/[cou]/[A-Za-z0-9_-]{24,}")

_canonical = msgspec.json.Encoder(order="deterministic").encode


def content_hash(content: Content) -> int:
    """Of the rendered title, text and HTML. The sealed part of a link of ours is left out: it tells
    when its message left, so it is another one each time the message is made."""
    said = f"{content.title}\0{content.body}\0{content.html}".encode("utf-8", "surrogatepass")
    if content.unsubscribe or "/c/" in content.link:
        said = _SEALED.sub(b"", said)
    return int.from_bytes(blake2b(said, digest_size=4).digest(), "big")


def data_hash(data: dict[str, Any]) -> int:
    """Of the variables, as compact JSON with sorted names."""
    return int.from_bytes(blake2b(_canonical(data), digest_size=4).digest(), "big")
