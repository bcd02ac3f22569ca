"""What the demo shop sells (`python -m loadtest.replay.products` makes the file)."""

from importlib.resources import files
from typing import Final

import msgspec

from tocsin.errors import Invalid


class Product(msgspec.Struct, frozen=True):
    """`price` is pounds; `kind`, `hue` (degrees) and `pale` say how it is drawn; `opening` is its
    stock on the shop's first day."""

    sku: str
    name: str
    price: str
    kind: str
    hue: int
    pale: bool
    opening: int


_FILE = (files("api") / "shop" / "products.json").read_bytes()

PRODUCTS: Final = {p.sku: p for p in msgspec.json.decode(_FILE, type=list[Product])}
SKUS: Final = tuple(PRODUCTS)


def product(sku: str, field: str = "sku") -> Product:
    """Raises `Invalid` for what is not sold here."""
    if sku not in PRODUCTS:
        raise Invalid(field, f"the shop does not sell {sku!r}")
    return PRODUCTS[sku]
