"""The shapes: what they promise at a scale, and what is refused before anything starts."""

import math

import pytest

from loadtest.load import shapes
from loadtest.load.arrivals import of_plan
from loadtest.load.shapes import PRODUCERS, SHAPES, plan
from tocsin.errors import Invalid


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_fits_a_laptop_as_it_comes(shape: str) -> None:
    found = plan(shape)
    assert found.notifications >= 100
    assert found.peak <= 1_600
    assert found.people >= 500


def test_a_day_at_a_fiftieth_is_320_000_notifications_under_1_200_a_second() -> None:
    found = plan("day", 0.02)
    assert found.notifications == 320_000
    assert found.peak < 1_200


@pytest.mark.parametrize("shape", SHAPES)
def test_scale_changes_how_many_and_seconds_only_how_fast(shape: str) -> None:
    scale = SHAPES[shape].scale
    small, double = plan(shape, scale, 3_600), plan(shape, 2 * scale, 3_600)
    assert double.notifications == pytest.approx(2 * small.notifications, abs=2)
    slow = plan(shape, scale, 7_200)
    assert slow.notifications == small.notifications
    assert slow.peak == pytest.approx(small.peak / 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_hold_all_items_and_no_more(shape: str) -> None:
    for flow in plan(shape).flows:
        held = [flow.held(number) for number in range(flow.calls)]
        assert sum(held) == flow.items
        assert all(1 <= count <= flow.holds for count in held)


def test_most_notifications_come_in_batches_and_by_kafka() -> None:
    found = plan("day")
    items = {flow.stream: flow.items for flow in found.flows}
    assert items["batch"] + items["kafka"] > 0.9 * found.notifications
    assert set(PRODUCERS) <= set(items)


def test_the_peak_is_ten_times_the_mean_before_it() -> None:
    curve = SHAPES["peak"].curve
    assert curve.rate(0.5) / curve.rate(0.1) == pytest.approx(10)
    told = SHAPES["peak"].told * (curve.passed(0.8) - curve.passed(0.2))
    assert told == pytest.approx(10 * shapes.MEAN * 15 * 60, rel=1e-3)


def test_in_a_flash_most_have_signed_up_before_the_first_stock_and_all_before_the_last() -> None:
    found = plan("flash")
    signing, stock = found.flow("sign_up").curve, found.flow("restock").curve
    assert signing.passed(stock.when(1e-9)) > 0.5
    last = stock.when(2 / 3 + 1e-9)
    assert signing.passed(last) == pytest.approx(1)


def test_every_sku_sells_out_and_comes_back_three_times() -> None:
    for shape in SHAPES:
        found = plan(shape)
        assert found.flow("restock").items == 2 * 3 * found.skus


def test_a_campaign_is_over_in_a_quarter_of_the_time_and_low() -> None:
    assert SHAPES["campaign"].low
    assert SHAPES["campaign"].curve.passed(0.25) == 1


def test_in_a_storm_all_are_there_before_all_come_back_at_once() -> None:
    found = plan("storm")
    assert found.flow("connect").items == found.flow("reconnect").items
    there, back = found.flow("connect").curve, found.flow("reconnect").curve
    assert there.passed(back.when(1e-9)) == pytest.approx(1)
    assert back.when(1) - back.when(1e-9) < 0.05


def test_quiet_hours_are_over_when_the_plan_says_so_and_not_asked_for_in_a_short_load() -> None:
    found = plan("day", 0.001, 120)
    assert found.flow("quiet_hours").curve.passed(0.5) == 1
    assert found.nights_over == 60 + 5 + 60 + 60
    assert plan("day", 0.0001, 10).nights_over == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"shape": "dya"}, "shape"),
        ({"shape": ""}, "shape"),
        ({"shape": "day", "scale": 0}, "scale"),
        ({"shape": "day", "scale": -1}, "scale"),
        ({"shape": "day", "scale": 11}, "scale"),
        ({"shape": "day", "scale": math.nan}, "scale"),
        ({"shape": "day", "scale": 1e-6}, "scale"),
        ({"shape": "day", "seconds": 1}, "seconds"),
        ({"shape": "day", "seconds": math.inf}, "seconds"),
        ({"shape": "day", "scale": 1}, "seconds"),
        ({"shape": "day", "workers": 0}, "workers"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        plan(**arguments)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_more_workers_may_ask_for_more() -> None:
    with pytest.raises(Invalid, match="more workers"):
        plan("day", 0.1, 60)
    assert plan("day", 0.1, 60, workers=8).notifications == 1_600_000


def test_the_parts_of_all_workers_are_the_whole() -> None:
    found = plan("day", 0.0005, 60)
    whole = sorted((a.stream, a.number) for a in of_plan(found, seed=3))
    assert len(whole) == sum(flow.calls for flow in found.flows)
    parts = [list(of_plan(found, 3, worker, 3)) for worker in range(3)]
    assert sorted((a.stream, a.number) for part in parts for a in part) == whole
    assert max(map(len, parts)) - min(map(len, parts)) <= len(found.flows)


def test_arrivals_are_in_order_within_the_time_and_the_same_for_the_same_seed() -> None:
    found = plan("day", 0.0005, 60)
    times = [arrival.at for arrival in of_plan(found, seed=3)]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= 60
    assert times == [arrival.at for arrival in of_plan(found, seed=3)]
    assert times != [arrival.at for arrival in of_plan(found, seed=4)]


def test_arrivals_follow_the_curve() -> None:
    found = plan("peak", 0.05, 240)
    batches = [a.at for a in of_plan(found, seed=1) if a.stream == "batch"]
    inside = sum(0.2 * 240 <= at < 0.8 * 240 for at in batches)
    curve = found.flow("batch").curve
    assert inside == pytest.approx(len(batches) * (curve.passed(0.8) - curve.passed(0.2)), abs=2)
