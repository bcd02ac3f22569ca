"""Waves: sent in bulk, and still in the order that matters."""

from hypothesis import given
from hypothesis import strategies as st

from loadtest.replay.events import Event, Login, Order, Register, SignUp, Stock
from loadtest.replay.sales import Row
from loadtest.replay.shop import timeline
from loadtest.replay.waves import Wave, waves
from tests.unit.loadtest.test_shop import row, rows_of_a_shop


def as_sent(wave: Wave) -> list[Event]:
    return [
        *wave.registers, *wave.logins, *wave.early, *wave.signups, *wave.late, *wave.orders,
    ]  # fmt: skip


@given(rows_of_a_shop, st.integers(1, 50))
def test_nothing_is_lost_or_doubled(rows: list[Row], size: int) -> None:
    events = list(timeline(rows))
    sent = [event for wave in waves(events, size) for event in as_sent(wave)]
    assert sorted(sent, key=repr) == sorted(events, key=repr)


@given(rows_of_a_shop, st.integers(1, 50))
def test_stock_of_one_sku_keeps_its_order(rows: list[Row], size: int) -> None:
    sent = [event for wave in waves(timeline(rows), size) for event in as_sent(wave)]
    for sku in ("1", "2"):
        numbers = [e.number for e in sent if isinstance(e, Stock) and e.sku == sku]
        assert numbers == sorted(numbers)


@given(rows_of_a_shop, st.integers(1, 50))
def test_a_sign_up_comes_between_the_stock_that_lets_it_wait_and_the_one_that_ends_it(
    rows: list[Row],
    size: int,
) -> None:
    """Only stock that is there can end a wait: that must not overtake, in either direction."""

    def ends_waits(event: Event) -> bool:
        return isinstance(event, SignUp) or (isinstance(event, Stock) and event.available > 0)

    events = [e for e in timeline(rows) if ends_waits(e)]
    sent = [e for wave in waves(timeline(rows), size) for e in as_sent(wave) if ends_waits(e)]
    for sku in ("1", "2"):
        of_sku = [e for e in events if getattr(e, "sku", None) == sku]
        assert [e for e in sent if getattr(e, "sku", None) == sku] == of_sku


@given(rows_of_a_shop, st.integers(1, 50))
def test_a_customer_is_registered_before_anything_names_them(
    rows: list[Row],
    size: int,
) -> None:
    known = set()
    for wave in waves(timeline(rows), size):
        for event in as_sent(wave):
            if isinstance(event, Register):
                known.add(event.customer)
            elif isinstance(event, SignUp | Login | Order):
                assert event.customer in known


def test_a_wave_is_cut_at_its_size_and_says_how_far_it_reaches() -> None:
    events = timeline([row(customer=None) for _ in range(25)])
    assert [(len(w.early), w.rows) for w in waves(events, 10)] == [(10, 10), (10, 20), (5, 25)]


def test_stock_before_any_sign_up_goes_early_and_the_rest_after_it() -> None:
    rows = [row(quantity=40), row(quantity=20), row(quantity=5), row("10002")]
    (wave,) = waves(timeline(rows), 10)
    assert [(e.sku, e.available) for e in wave.early] == [("10001", 10), ("10002", 49)]
    assert [(e.sku, e.available) for e in wave.late] == [("10001", 0), ("10001", 0), ("10001", 50)]


def test_a_sign_up_after_a_refill_opens_a_new_wave() -> None:
    rows = [row(quantity=60), row(quantity=60, hours=25)]
    cut = list(waves(timeline(rows), 10))
    assert [len(wave.signups) for wave in cut] == [1, 1]
    assert [[e.available for e in wave.late] for wave in cut] == [[0, 50], [0, 50]]
