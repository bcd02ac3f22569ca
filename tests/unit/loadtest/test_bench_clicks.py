"""The figures of the clicks' bench: percentiles, and what a histogram's buckets say."""

import asyncio
from typing import Any

from loadtest.bench import clicks
from loadtest.bench.clicks import percentiles, server
from loadtest.load.histogram import Histogram


def test_the_servers_time_is_bounded_by_buckets() -> None:
    told = server({0.001: 90, 0.0025: 98, 0.005: 99, 0.01: 100, float("inf"): 100})
    assert (told["answered"], told["percent_under_bar"], told["passed"]) == (100, 99.0, True)
    bounds = [told[f"p{percent}_below_ms"] for percent in (50, 95, 99)]
    assert bounds == [1, 2.5, 5]


def test_one_more_slow_answer_in_a_hundred_does_not_pass() -> None:
    assert not server({0.005: 98, 0.01: 100, float("inf"): 100})["passed"]


def test_nothing_answered_is_not_passed() -> None:
    assert not server({})["passed"]


def test_percentiles_are_in_milliseconds() -> None:
    took = Histogram()
    for milliseconds in range(1, 101):
        took.record(milliseconds / 1000)
    found = percentiles(took)
    assert 50 <= found["p50"] <= 50.5
    assert 100 <= found["max"] <= 101


async def test_a_click_that_waits_for_the_ones_before_it_is_slow_from_its_own_moment() -> None:
    """Ten clicks meant for one moment, through a door that opens for one at a time."""
    door = asyncio.Lock()

    class Answer:
        status = 302

    class Slow:
        def get(self, url: str) -> "Slow":
            return self

        build = get

        async def send(self) -> Answer:
            async with door:
                await asyncio.sleep(0.01)
            return Answer()

    slow: Any = Slow()
    slow.build = lambda: slow
    took, refused = await clicks._click_all(slow, "", ["/c/x"] * 10, 1_000_000)
    assert (took.count, refused) == (10, 0)
    assert (took.percentile(100) or 0) >= 0.1
