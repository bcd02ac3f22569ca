"""The bench of the router measures the real router, over the traffic of the whole bench."""

import asyncio
import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from loadtest.bench.traffic import _TYPE, MIX
from streams import bench_route
from streams.bench_route import app
from streams.bench_seams import STAGES, Bench, Stopwatch
from streams.bench_stand_ins import traffic
from tocsin.records import DeliveryBatch, OutcomeBatch, decode_internal, split_requests
from tocsin.topics import OUTCOMES

pytestmark = pytest.mark.usefixtures("_garbage_as_ever")


@pytest.fixture
def _garbage_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector of the process that tests is left alone."""
    monkeypatch.setattr(bench_route, "collect_rarely", lambda: None)


def test_the_traffic_is_that_of_the_whole_bench() -> None:
    batches = traffic(2_000, one_channel=True)
    asked = [r for batch in batches for record in batch for r in split_requests(record.value)]
    found = Counter((r.channels[0], r.type, json.dumps(r.data)) for r in asked[: len(MIX)])  # type: ignore[union-attr]
    kinds = {channel: (kind, json.dumps(data)) for channel, (kind, data) in _TYPE.items()}
    assert found == Counter((channel, *kinds[channel]) for channel in MIX)


async def test_every_request_goes_all_the_way() -> None:
    bench = Bench()
    done = await bench.run(traffic(2_000, one_channel=True))
    assert done.deliveries == 2_000
    values = bench.produced
    opened = [
        outcome.state
        for topic, value in values
        if topic == OUTCOMES.name
        for outcome in decode_internal(OutcomeBatch, value).outcomes
    ]
    assert opened == ["accepted"] * 2_000
    sent = Counter(
        delivery.channel
        for topic, value in values
        if topic != OUTCOMES.name
        for delivery in decode_internal(DeliveryBatch, value).deliveries
    )
    assert sent == {"push": 1_250, "email": 625, "sms": 125}


async def test_a_stopwatch_adds_up_what_a_stage_takes() -> None:
    class Thing:
        async def work(self, times: int) -> int:
            return sum(range(times))

    watch, thing = Stopwatch(), Thing()
    watch.watch(thing, "work", "summing")
    assert await thing.work(100_000) == sum(range(100_000))
    once = watch.spent["summing"]
    assert once > 0
    await thing.work(100_000)
    assert watch.spent["summing"] > once


async def test_the_figures_are_of_every_stage() -> None:
    result = await asyncio.to_thread(
        CliRunner().invoke, app, ["--requests", "2000", "--runs", "1", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [mix["deliveries"] for mix in found.values()] == [2_000, 5_375]
    for mix in found.values():
        assert set(mix["stages_us_per_request"]) == set(STAGES)
        per_delivery = mix["us_per_request"] * mix["requests"] / mix["deliveries"]
        assert mix["us_per_delivery"] == pytest.approx(per_delivery, abs=0.02)
