"""Events in groups whose parts can be sent in bulk without breaking the order that matters.

A wave is sent as: registers, then early stock, then sign-ups, then late stock; log-ins after the
registers, orders after the log-ins. So a customer is known before anything names them, and of one
SKU a sign-up is stored after the stock that came before it and before the restock that ends the
wait. Where one wave cannot keep that, it is cut.
"""

from collections.abc import Iterable, Iterator

import msgspec

from loadtest.replay.events import Event, Login, Order, Register, SignUp, Stock


class Wave(msgspec.Struct):
    """What to send together. `rows` is the file's row that the wave reaches."""

    registers: list[Register] = []
    early: list[Stock] = []
    signups: list[SignUp] = []
    late: list[Stock] = []
    logins: list[Login] = []
    orders: list[Order] = []
    rows: int = 0


class WaveBuilder:
    """Collects one wave at a time, of at most `size` rows."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._from = 0
        self._wave = Wave()
        self._asked: set[str] = set()
        self._refilled: set[str] = set()

    def fits(self, event: Event) -> bool:
        """Whether the event may join: the wave is not full, and its order can be kept."""
        if event.row > self._from + self._size:
            return False
        return not (isinstance(event, SignUp) and event.sku in self._refilled)

    def add(self, event: Event) -> None:
        """Add an event that fits."""
        match event:
            case Stock():
                self._add_stock(event)
            case SignUp():
                self._asked.add(event.sku)
                self._wave.signups.append(event)
            case Register():
                self._wave.registers.append(event)
            case Login():
                self._wave.logins.append(event)
            case Order():
                self._wave.orders.append(event)
        self._wave.rows = event.row

    def _add_stock(self, event: Stock) -> None:
        if event.sku not in self._asked:
            self._wave.early.append(event)
            return
        self._wave.late.append(event)
        if event.available > 0:
            self._refilled.add(event.sku)

    def take(self) -> Wave | None:
        """The wave so far, if there is anything in it; the next one starts empty."""
        wave, self._wave = self._wave, Wave()
        self._from = wave.rows or self._from
        self._asked.clear()
        self._refilled.clear()
        return wave if wave.rows else None


def waves(events: Iterable[Event], size: int) -> Iterator[Wave]:
    """All events as waves of at most `size` rows."""
    builder = WaveBuilder(size)
    for event in events:
        if not builder.fits(event) and (wave := builder.take()):
            yield wave
        builder.add(event)
    if wave := builder.take():
        yield wave
