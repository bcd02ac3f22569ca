"""Prices: what made the CPU time is found again, and nothing is paid by who did not do it."""

import random
from collections.abc import Mapping

import pytest

from loadtest.bench.resting import Resting, report
from loadtest.bench.usage import Usage
from loadtest.capacity import drivers, predict
from loadtest.capacity.arrivals import Flow, counts
from loadtest.capacity.compare import compared, together
from loadtest.capacity.costs import Phase
from loadtest.capacity.fit import non_negative, prices, window
from tests.unit.loadtest.capacity_costs import COSTS


def _phase(name: str, happened: Mapping[str, float], seconds: float = 10) -> Phase:
    return Phase(name, seconds, dict(happened), predict.cpu(COSTS, happened, seconds))


PHASES = [
    *(
        _phase(f"{channel} {size}", {channel: count, "records": lots, f"{channel} batches": lots})
        for channel in drivers.CHANNELS
        for size, count, lots in (("alone", 240, 240), ("many", 8_000, 32))
    ),
    _phase("mix", {"push": 2_000, "email": 1_000, "records": 3_000, "push batches": 900}),
    _phase("calls", {"rest": 400, "batch calls": 20, "batch items": 2_000}),
    _phase("calls alone", {"rest": 100}),
    _phase("more calls", {"batch calls": 40, "batch items": 400}),
    _phase("log-ins", {"otp": 200}),
]


@pytest.mark.parametrize("part", ["streams", "push sender", "email sender", "api", "otp worker"])
def test_the_prices_that_made_the_figures_are_found_again(part: str) -> None:
    found = prices(part, PHASES, COSTS.parts[part].idle_cpu)
    for driver, us in COSTS.parts[part].us.items():
        assert found[driver] == pytest.approx(us, rel=0.03), driver


def test_a_part_pays_for_nothing_it_has_no_part_in() -> None:
    assert set(prices("push sender", PHASES, 0.01)) == {"push", "push batches"}
    assert prices("supervisor", PHASES, 0.01) == {}


def test_no_price_is_below_zero_though_noise_would_have_it() -> None:
    rng = random.Random(7)
    noisy = [
        Phase(p.name, p.seconds, p.counts, {k: v * rng.uniform(0.5, 1.2) for k, v in p.cpu.items()})
        for p in PHASES
    ]
    for part in COSTS.parts:
        assert all(us >= 0 for us in prices(part, noisy, 0.01).values()), part


def test_least_squares_that_may_not_go_below_zero() -> None:
    assert non_negative([[1, 0], [0, 2], [1, 1]], [3, 4, 5]) == pytest.approx([3, 2])
    assert non_negative([[1, 1], [1, 0]], [1, 2]) == pytest.approx([1.5, 0], abs=1e-3)
    assert non_negative([], []) == []


def test_the_window_is_found_from_counted_batches() -> None:
    flows = [Flow("rest", 300, 1, {"push": 0.6, "email": 0.4})]
    counted = counts(flows, 8, 4, 0.035)
    assert window([(flows, 8, counted)], 4) == pytest.approx(0.035, rel=0.06)


def test_every_part_that_pays_pays_for_what_there_is() -> None:
    known = {*drivers.ALL, "deliveries", "batches"}
    for part, names in drivers.PAYS.items():
        assert set(names) <= known, part


def test_actors_measured_together_are_predicted_together() -> None:
    predicted = {"push sender": 2.0, "shard": 1.0, "streams": 3.0, "sandbox": 9.0}
    found = compared("a run", 10, predicted, {"actors": 2.5, "streams": 3.5, "locust": 40.0})
    assert found.predicted == {"actors": 3.0, "streams": 3.0}
    assert found.unpriced == {"locust": 40.0}
    assert found.error == pytest.approx(0)
    both = together([found, found])
    assert both.predicted["streams"] == 6.0
    assert both.seconds == 20


def test_what_a_part_holds_and_costs_idle_is_in_the_bench() -> None:
    rest = Resting(8, {"writer": Usage(1, 0.16, 100_000_000, 0, 0)})
    before = {"writer": Usage(1, 5.0, 110_000_000, 10, 1_000)}
    after = {"writer": Usage(1, 9.0, 130_000_000, 10, 21_000)}
    assert report(rest, before, after, 200) == {
        "writer": {
            "idle_cpu_percent": 2.0, "rss_mb_idle": 100.0, "rss_mb_loaded": 130.0,
            "written_bytes_per_delivery": 100, "read_bytes_per_delivery": 0,
        }
    }  # fmt: skip
