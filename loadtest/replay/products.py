"""Makes the demo shop's range: the best sellers of a sales file, named as people write names.

`python -m loadtest.replay.products december.csv.gz api/shop/products.json`

The bundled sample's stock codes come first, so that a replay of it is seen in the shop; then
whatever has the most rows, a few of each kind, or every second thing would be a hot water bottle.
"""

import csv
import gzip
import io
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

MOST: Final = 48
OF_A_KIND: Final = 4
"""Of the sample there may be more."""

SAMPLE: Final = Path(__file__).parents[1] / "data" / "online-retail-sample.csv.gz"
OPENING: Final = (24, 12, 2, 40, 0, 18, 7, 30)
"""Stock on the day the shop opens, in turn: some of everything a page can show."""

KINDS: Final = (
    ("bottle", r"HOT WATER BOTTLE|HOTTIE"), ("warmer", r"HAND WARMER"), ("chain", r"PAPER CHAIN"),
    ("hanging", r"HANGING HEART"), ("lantern", r"T-LIGHT|NIGHT LIGHT|CANDLE"),
    ("cakestand", r"CAKE ?STAND"), ("jam", r"\bJAM\b"), ("cases", r"CAKE CASES"),
    ("tins", r"CAKE TINS|IN TIN|RECIPE BOX"),
    ("lunchbox", r"LUNCH BOX"), ("bag", r"\bBAG\b|SHOPPER"), ("clock", r"CLOCK"),
    ("popcorn", r"POPCORN"), ("bird", r"BIRD"), ("sign", r"SIGN$"), ("glass", r"GLASS"),
    ("frame", r"FRAME"), ("box", r"TRINKET|SEWING BOX|CABINET"), ("eggcup", r"EGG CUP"),
    ("lights", r"LIGHTS"), ("dolls", r"NESTING"), ("blocks", r"BUILDING BLOCK|DOMINOES"),
    ("star", r"STAR\b|ANGEL"), ("towels", r"TEA TOWELS|NAPKINS"), ("ribbon", r"RIBBON"),
    ("heart", r"HEART"),
)  # fmt: skip
"""The first that fits says what is drawn; what fits none is not in the shop."""

HUES: Final = (
    (r"\bRED\b|UNION|LONDON|STRAWBERRY|RETROSPOT|TOADSTOOL|CHILLI", 25), (r"GREEN|REGENCY", 150),
    (r"PINK|ROSE|SWEETHEART|BABUSHKA", 355), (r"BLUE|SPACEBOY", 245), (r"CHOCOLATE|WICKER", 60),
    (r"YELLOW|PANTRY|POPCORN", 90), (r"CHRISTMAS", 140), (r"SLATE|GREY|SILVER", 260),
)  # fmt: skip
_PALE = re.compile(r"WHITE|IVORY|SILVER|GREY|ANTIQUE|VICTORIAN")
_SMALL: Final = frozenset({"of", "with", "and", "in", "the", "a", "for"})
_KEPT: Final = {"led": "LED", "t-light": "T-light", "hldr": "Holder", "50's": "50s"}
_RESPELT: Final = {"bakelike": "Bakelite", "cakestand": "Cake Stand", "tier": "Tiers"}


class Sold(NamedTuple):
    """What a file says of one stock code."""

    sku: str
    rows: int
    description: str
    price: str


def main(source: Path, target: Path) -> None:
    """Deterministic: the same file makes the same products."""
    own = {sold.sku for sold in best(_text(SAMPLE))}
    products = [_product(*each) for each in enumerate(chosen(best(_text(source)), own))]
    target.write_text(json.dumps(products, indent=1, ensure_ascii=False) + "\n")


def best(text: str) -> list[Sold]:
    """Stock codes by their number of rows, most first, each with its usual name and price."""
    rows: Counter[str] = Counter()
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    prices: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in csv.DictReader(io.StringIO(text)):
        if (sku := row["StockCode"])[:1].isdigit():
            rows[sku] += 1
            names[sku][row["Description"].strip()] += 1
            prices[sku][row["UnitPrice"]] += 1
    return [
        Sold(sku, count, names[sku].most_common(1)[0][0], prices[sku].most_common(1)[0][0])
        for sku, count in rows.most_common()
    ]


def chosen(sold: list[Sold], own: set[str]) -> Iterator[tuple[Sold, str]]:
    """At most MOST with their kinds: of `own` all that can be drawn, then the others in order."""
    taken: Counter[str] = Counter()
    left = MOST
    for each in sorted(sold, key=lambda s: s.sku not in own):
        kind = kind_of(each.description)
        if left and kind and (each.sku in own or taken[kind] < OF_A_KIND):
            taken[kind] += 1
            left -= 1
            yield each, kind


def kind_of(description: str) -> str | None:
    """What it is, as far as a drawing is concerned."""
    return next((kind for kind, words in KINDS if re.search(words, description)), None)


def name_of(description: str) -> str:
    """``HEART OF WICKER SMALL`` as ``Heart of Wicker Small``."""
    words = re.sub(r"[.\s]+", " ", description).strip().lower().split(" ")
    return " ".join(_word(word, first=place == 0) for place, word in enumerate(words))


def _word(word: str, first: bool) -> str:
    if word in _KEPT:
        return _KEPT[word]
    if word in _SMALL and not first:
        return word
    return _RESPELT.get(word, re.sub(r"(^|[/+(-])([a-z])", lambda m: m[1] + m[2].upper(), word))


def _product(place: int, found: tuple[Sold, str]) -> dict[str, Any]:
    sold, kind = found
    hue = next((hue for words, hue in HUES if re.search(words, sold.description)), None)
    return {
        "sku": sold.sku,
        "name": name_of(sold.description),
        "price": f"{float(sold.price):.2f}",
        "kind": kind,
        "hue": sha256(sold.sku.encode()).digest()[0] * 360 // 256 if hue is None else hue,
        "pale": _PALE.search(sold.description) is not None,
        "opening": OPENING[place % len(OPENING)],
    }


def _text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
