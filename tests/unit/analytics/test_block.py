"""Blocks: the same when they are made again, different when anything is different."""

from hypothesis import given
from hypothesis import strategies as st

from analytics.writer.block import Block, Range, Taken, read, said
from analytics.writer.rows import Record


def _record(partition: int, offset: int, value: bytes = b"{}") -> Record:
    return Record(partition, offset, 1_700_000_000_000, value)


def _taken(order: list[tuple[int, int]], starts: dict[int, int]) -> Block:
    taken = Taken("delivery.outcomes")
    for partition, offset in order:
        taken.add(starts[partition], [_record(partition, offset, b"%d" % offset)])
    return taken.freeze()


def test_a_block_does_not_depend_on_the_order_partitions_were_read_in() -> None:
    starts = {0: 5, 1: 9}
    one = _taken([(0, 5), (1, 9), (0, 6)], starts)
    other = _taken([(1, 9), (0, 5), (0, 6)], starts)
    assert one == other
    assert one.token == other.token
    assert one.ranges == (Range(0, 5, 7), Range(1, 9, 10))
    assert one.token.startswith("delivery.outcomes:0:5-7,1:9-10:")


def test_a_range_begins_where_the_last_one_ended_even_over_a_gap() -> None:
    assert _taken([(0, 8)], {0: 5}).ranges == (Range(0, 5, 9),)


def test_the_same_offsets_of_another_log_are_another_block() -> None:
    ranges = (Range(0, 0, 1),)
    before = Block("t", ranges, (_record(0, 0, b"old"),))
    after = Block("t", ranges, (_record(0, 0, b"new"),))
    assert before.token != after.token


def test_tombstones_of_different_keys_are_different_blocks() -> None:
    ranges = (Range(0, 0, 1),)
    one, other = (Block("profiles", ranges, (Record(0, 0, 1, b"", key),)) for key in (b"a", b"b"))
    assert one.token != other.token


def test_where_one_value_ends_and_the_next_begins_matters() -> None:
    ranges = (Range(0, 0, 2),)
    one = Block("t", ranges, (_record(0, 0, b"ab"), _record(0, 1, b"c")))
    other = Block("t", ranges, (_record(0, 0, b"a"), _record(0, 1, b"bc")))
    assert one.token != other.token


@given(st.lists(st.builds(Range, *[st.integers(0, 2**40)] * 3)))
def test_ranges_survive_being_written_down(ranges: list[Range]) -> None:
    assert read(said(ranges)) == tuple(ranges)


def test_what_was_taken_is_weighed() -> None:
    taken = Taken("t")
    taken.add(0, [_record(0, 0, b"12345"), _record(0, 1, b"678")])
    assert taken.bytes == 8
