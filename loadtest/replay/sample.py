"""Makes the bundled sample: every row of the best-selling SKUs, in order, at most `rows` of them.

`python -m loadtest.replay.sample december.csv.gz loadtest/data/online-retail-sample.csv.gz`

Few SKUs followed for the whole month run out and come back often, so that two thousand rows
hold hundreds of sign-ups; a slice of the file, or whole invoices, would hold next to none.
"""

import csv
import gzip
import io
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROWS = 2_000


def popular(codes: Sequence[str], rows: int) -> set[str]:
    """The codes with the most rows, most first, each taken if all its rows still fit."""
    taken: set[str] = set()
    for code, count in Counter(codes).most_common():
        if count <= rows:
            taken.add(code)
            rows -= count
    return taken


def sample(text: str, rows: int = ROWS) -> str:
    """A sales file's rows of its popular codes, the header first, cells as they were."""
    header, *body = csv.reader(io.StringIO(text))
    at = header.index("StockCode")
    codes = popular([cells[at] for cells in body], rows)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [header, *(cells for cells in body if cells[at] in codes)]
    )
    return out.getvalue()


def main(source: Path, target: Path) -> None:
    """Packed without a time stamp, so that the same source gives the same bytes."""
    text = gzip.decompress(source.read_bytes()).decode()
    target.write_bytes(gzip.compress(sample(text).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
