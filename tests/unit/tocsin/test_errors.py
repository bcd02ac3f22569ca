"""Errors cross process boundaries."""

import pickle

from tocsin.errors import EngineUnavailable


def test_a_missing_engine_survives_the_way_between_processes() -> None:
    error = EngineUnavailable("Redis", "127.0.0.1:1", "start it")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.next_step) == (str(error), "start it")
