"""When a shard is made and when one is ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.scale import IDLE_SECONDS, LONGEST_DRAIN, SHORTEST_DRAIN, Scale, drain_seconds
from tocsin.settings import Settings


def scale(shards: int = 1, most: int = 4, full: int = 100) -> Scale:
    return Scale(Settings(shards=shards, shards_max=most, shard_connections=full))


@pytest.mark.parametrize(
    ("loads", "step"),
    [
        ([100], 0),
        ([101], 1),
        ([150, 50], 0),
        ([190, 11], 1),
        ([400, 0], 1),
        ([101] * 3, 1),
        ([101] * 4, 0),
        ([101] * 5, 0),
        ([None], 0),
        ([None, 201], 1),
    ],
)
def test_one_more_is_made_when_the_mean_passes_what_one_should_hold(
    loads: list[int | None], step: int
) -> None:
    assert scale().look(loads, 0) == step


def test_the_base_may_be_more_than_the_most() -> None:
    assert scale(shards=3, most=1).look([500, 500, 500], 0) == 0


def test_one_is_ended_when_it_was_not_needed_for_a_minute() -> None:
    decided = scale()
    assert [decided.look([30, 20], at) for at in (0, 59.9, 60, 61, 119, 121)] == [
        0,
        0,
        -1,
        0,
        0,
        -1,
    ]


def test_a_minute_that_is_interrupted_begins_anew() -> None:
    decided = scale()
    for busy in ([31, 20], [30, None]):
        assert decided.look([30, 20], 0) == 0
        assert decided.look(busy, 30) == 0
        assert decided.look([30, 20], 61) == 0
        assert decided.look([30, 20], 61 + IDLE_SECONDS) == -1


def test_the_base_stays() -> None:
    decided = scale(shards=2)
    assert [decided.look([0, 0], at) for at in (0, 100, 200)] == [0, 0, 0]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=6))
def test_what_was_just_made_is_not_ended_nor_what_was_ended_made(loads: list[int]) -> None:
    fresh, patient = scale(most=10), scale(most=10)
    if fresh.look(loads, 0) == 1:
        assert [scale(most=10).look([*loads, 0], at) for at in (0, 1e9)][-1] != -1
    patient.look(loads, 0)
    if patient.look(loads, 1e9) == -1:
        left = [*loads[:-2], sum(loads[-2:])]
        assert scale(most=10).look(left, 0) == 0


@pytest.mark.parametrize(
    ("sockets", "others", "seconds"),
    [(0, 1, SHORTEST_DRAIN), (10_000, 2, 20), (10_000, 0, 40), (10**6, 1, LONGEST_DRAIN)],
)
def test_a_shard_is_emptied_no_faster_than_the_others_take(
    sockets: int, others: int, seconds: float
) -> None:
    assert drain_seconds(sockets, others, 500) == seconds
