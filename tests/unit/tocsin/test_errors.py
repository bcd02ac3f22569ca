"""Errors cross process boundaries."""

import pickle

from tocsin.errors import EngineUnavailable, StoreEmptied


def test_a_missing_engine_survives_the_way_between_processes() -> None:
    error = EngineUnavailable("Redis", "127.0.0.1:1", "start it")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.next_step) == (str(error), "start it")


def test_so_does_an_emptied_store_and_says_what_to_do() -> None:
    again = pickle.loads(pickle.dumps(StoreEmptied()))
    assert isinstance(again, StoreEmptied)
    assert "tocsin rebuild" in str(again)
    assert str(pickle.loads(pickle.dumps(StoreEmptied("do that")))).endswith(": do that")
