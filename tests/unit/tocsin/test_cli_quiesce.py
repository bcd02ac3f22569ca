"""When the log is quiet: nobody behind, twice, and nothing produced in between."""

from collections.abc import Mapping

from aiokafka import TopicPartition

from tocsin.cli.quiesce import holds, is_quiet
from tocsin.groups import ANALYTICS, READS, STREAMS
from tocsin.lag import Positions
from tocsin.topics import ALL, REQUESTS

PLACE = TopicPartition(REQUESTS.name, 0)


def positions(end: int, done: Mapping[str, int]) -> Positions:
    committed = {group: {PLACE: done[group]} if group in done else {} for group in READS}
    return Positions({PLACE: end}, {PLACE: 0}, committed)


BOTH = {STREAMS: 5, ANALYTICS: 5}


def test_one_look_is_never_enough() -> None:
    assert not is_quiet(None, positions(5, BOTH))
    assert is_quiet(positions(5, BOTH), positions(5, BOTH))


def test_a_group_that_is_behind_or_never_committed_is_not_quiet() -> None:
    late = positions(5, {STREAMS: 5, ANALYTICS: 4})
    assert not is_quiet(late, late)
    new = positions(5, {STREAMS: 5})
    assert not is_quiet(new, new)


def test_what_was_produced_between_two_looks_is_not_quiet() -> None:
    assert not is_quiet(positions(4, BOTH), positions(5, BOTH))


def test_a_commit_beyond_an_end_given_too_low_is_no_lag() -> None:
    early = positions(3, BOTH)
    assert set(early.lag().values()) == {0}


def test_a_stop_waits_for_no_topic_that_holds_what_is_not_due() -> None:
    held = {topic.name for topic in ALL if holds(topic)}
    retries = {
        f"retry.{span}{lane}" for span in ("short", "medium", "long") for lane in ("", ".high")
    }
    assert held == {"broadcasts", *retries}
