"""The shop behind a sales file: rows in, events out. Pure; file time is the only time.

How the rules of a replay are read (only this reading gives the published figures):
- what is due at a row's minute comes before that row;
- a return is known by its invoice number, not by the sign of the quantity;
- a restock sets the shelf to the initial level and ends everybody's waiting; a return does not;
- stock codes are compared as written: 85123A and 85123a are two SKUs.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush

from loadtest.replay.events import Event, Login, Order, Register, SignUp, Stock
from loadtest.replay.sales import Row

RESTOCK_AFTER = timedelta(hours=24)


def timeline(rows: Sequence[Row], initial_stock: int = 50) -> Iterator[Event]:
    """Everything that happens, in order: a row's due restocks, then what the row itself causes."""
    last = {row.invoice: number for number, row in enumerate(rows, 1) if row.customer}
    shop = Shop(initial_stock, last)
    for number, row in enumerate(rows, 1):
        yield from shop.restocks(row.at, number)
        yield from shop.row(row, number)
    if rows:
        yield from shop.close(rows[-1].at, len(rows))


class Shop:
    """Shelves, who waits, what is on its way, and open invoices."""

    def __init__(self, initial_stock: int, last_rows: dict[str, int]) -> None:
        """`last_rows` is the number of each invoice's last row that names a customer."""
        self._initial = initial_stock
        self._last_rows = last_rows
        self._shelf: dict[str, int] = defaultdict(lambda: initial_stock)
        self._waiting: dict[str, set[str]] = defaultdict(set)
        self._on_its_way: set[str] = set()
        self._due: list[tuple[datetime, int, str]] = []
        self._logged_in: dict[str, tuple[date, int]] = {}
        self._customers: set[str] = set()
        self._invoices: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal()))
        self._changes = 0

    def restocks(self, now: datetime, number: int) -> Iterator[Stock]:
        """The restocks due by `now`, each at its own time."""
        while self._due and self._due[0][0] <= now:
            at, _, sku = heappop(self._due)
            yield self._restock(at, number, sku)

    def close(self, now: datetime, number: int) -> Iterator[Stock]:
        """The file is over: what is still on its way comes now, in the order it was due."""
        while self._due:
            yield self._restock(now, number, heappop(self._due)[2])

    def row(self, row: Row, number: int) -> Iterator[Event]:
        """What one row causes."""
        if row.customer:
            yield from self._customer(row, row.customer, number)
        if row.stocked:
            yield from self._goods(row, number)
        yield from self._invoice(row, number)

    def _customer(self, row: Row, customer: str, number: int) -> Iterator[Event]:
        if customer not in self._customers:
            self._customers.add(customer)
            yield Register(row.at, number, customer)
        day, nth = self._logged_in.get(customer, (None, 0))
        if not row.returned and day != row.at.date():
            self._logged_in[customer] = (row.at.date(), nth + 1)
            yield Login(row.at, number, customer, nth + 1)

    def _goods(self, row: Row, number: int) -> Iterator[Event]:
        moved, shelf = abs(row.quantity), self._shelf[row.sku]
        if row.returned:
            self._shelf[row.sku] = shelf + moved
        else:
            if moved > shelf:
                yield from self._short(row, number)
            self._shelf[row.sku] = shelf - min(moved, shelf)
        yield self._stock(row.at, number, row.sku)

    def _short(self, row: Row, number: int) -> Iterator[SignUp]:
        if row.sku not in self._on_its_way:
            self._on_its_way.add(row.sku)
            heappush(self._due, (row.at + RESTOCK_AFTER, number, row.sku))
        waiting = self._waiting[row.sku]
        if row.customer and row.customer not in waiting:
            waiting.add(row.customer)
            yield SignUp(row.at, number, row.customer, row.sku)

    def _restock(self, at: datetime, number: int, sku: str) -> Stock:
        self._shelf[sku] = self._initial
        self._waiting[sku].clear()
        self._on_its_way.discard(sku)
        return self._stock(at, number, sku, restock=True)

    def _stock(self, at: datetime, number: int, sku: str, restock: bool = False) -> Stock:
        self._changes += 1
        return Stock(at, number, self._changes, sku, self._shelf[sku], restock)

    def _invoice(self, row: Row, number: int) -> Iterator[Order]:
        if not row.customer:
            return
        items, total = self._invoices[row.invoice]
        items += abs(row.quantity) if row.stocked else 0
        total += row.quantity * row.price
        self._invoices[row.invoice] = (items, total)
        if self._last_rows[row.invoice] == number:
            del self._invoices[row.invoice]
            paid = -total if row.returned else total
            yield Order(
                row.at, number, row.customer, row.invoice, row.returned, items, paid, row.country
            )
