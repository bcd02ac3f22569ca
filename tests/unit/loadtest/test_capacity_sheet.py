"""The costs file out of what was measured."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from loadtest.bench.costs import phases
from loadtest.bench.costs.measure import Measured
from loadtest.bench.costs.phases import CHECKED, MEASURED, Phase
from loadtest.bench.costs.sheet import Bytes, Sheet
from loadtest.bench.costs.topics import Passed
from loadtest.bench.usage import Usage
from loadtest.capacity.compare import checked
from loadtest.capacity.drivers import PAYS, of
from loadtest.capacity.report import comparison
from tests.unit.loadtest.capacity_costs import COSTS
from tocsin.records import Channel

MB = 1_000_000
NOTHING = Passed(Counter(), Counter())


async def _none(_: object) -> None:
    """Nothing is sent."""


def _measured(phase: Phase, seconds: float, cpu: float, passed: Passed = NOTHING) -> Measured:
    before = {"push sender": Usage(1, 50, 90 * MB, 0, 1_000)}
    after = {"push sender": Usage(1, 50 + cpu, 120 * MB, 0, 1_000 + round(cpu * 1_000))}
    return Measured(phase, seconds, before, after, passed)


def _push(name: str, count: int, lots: int, size: int, cpu: float) -> Measured:
    phase = phases.records(name, (Channel.PUSH,), count, size, 100)
    passed = Passed(
        Counter({"requests": lots, "push": lots, "outcomes": lots}),
        Counter({"requests": 300 * count, "push": 400 * count, "outcomes": 500 * count}),
    )
    return _measured(phase, 10, cpu, passed)


def test_idle_time_is_taken_off_and_the_rest_has_its_prices() -> None:
    idle = _measured(Phase("idle", _none, {}), 20, 0.2)
    # 10 ms a second of nothing; 80 µs a push, 200 µs a batch
    alone = _push("alone", 1_000, 1_000, 1, 0.1 + 0.08 + 0.2)
    many = _push("many", 10_000, 100, 100, 0.1 + 0.8 + 0.02)
    sizes = Bytes(4, COSTS.valkey, COSTS.provider, 700)
    found = Sheet([idle, alone, many], sizes, COSTS.machine).costs(
        datetime(2026, 11, 24, tzinfo=UTC)
    )
    part = found.parts["push sender"]
    assert part.idle_cpu == pytest.approx(0.01)
    assert part.us["push"] == pytest.approx(80, rel=0.02)
    assert part.us["push batches"] == pytest.approx(200, rel=0.02)
    assert (part.rss_idle, part.rss_loaded) == (120 * MB, 120 * MB)
    assert part.written_per_delivery == pytest.approx((380 + 920) / 11_000, abs=0.1)
    assert found.kafka["push"].channel == 400
    assert found.measured_at == "2026-11-24"
    assert [phase.name for phase in found.phases] == ["idle", "alone", "many"]


def test_a_check_knows_only_what_was_sent_and_reckons_the_batches() -> None:
    seen = _push("alone", 1_000, 999, 1, 0.4)
    (found,) = checked(COSTS, [seen])
    assert found.measured == {"push sender": pytest.approx(0.4)}
    # 1,000 pushes, somewhat fewer batches than that, and 10 s of being there
    assert 0.08 + 0.1 + 0.1 < found.predicted["push sender"] < 0.08 + 0.2 + 0.1
    assert comparison([found, found]).row_count == 4


def test_every_driver_has_a_phase_that_tells_its_price() -> None:
    counted = Counter[str]()
    for phase in MEASURED:
        counted.update(dict.fromkeys(phase.counts, 1))
    made = {"records", "busy seconds", "batches", "deliveries", *(f"{c} batches" for c in Channel)}
    for names in PAYS.values():
        assert set(names) <= counted.keys() | made


def test_checks_are_none_of_the_phases_that_made_the_prices() -> None:
    assert not {phase.name for phase in CHECKED} & {phase.name for phase in MEASURED}
    assert all(of("deliveries", phase.counts) or phase.counts["otp"] for phase in CHECKED)
