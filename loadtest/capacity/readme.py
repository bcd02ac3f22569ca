"""The table in the README of loadtest, renewed with the costs."""

from pathlib import Path
from typing import Final

from loadtest.capacity.costs import Costs
from loadtest.capacity.load import Load
from loadtest.capacity.model import plan
from loadtest.capacity.report import markdown

PAGE: Final = Path(__file__).parents[1] / "README.md"
_BEGIN: Final = "<!-- capacity: python -m loadtest.capacity --readme -->\n"
_END: Final = "<!-- capacity ends -->\n"


def renewed(page: str, costs: Costs) -> str:
    """`page` with the table of the day of 16 M between its marks."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return f"{before}{begin}{markdown(plan(Load(), costs), costs)}{end}{after}"


def renew(costs: Costs) -> None:
    """Write it."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), costs), encoding="utf-8")
