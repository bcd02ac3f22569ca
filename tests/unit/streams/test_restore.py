"""What the log says last of every key, and what a rebuild tells of its work."""

from typing import NamedTuple

import pytest

from streams.restore import Newest
from streams.tally import EVERY, Tally
from tocsin.errors import Invalid
from tocsin.records import Profile, encode


class Record(NamedTuple):
    key: bytes
    value: bytes | None
    partition: int = 0
    offset: int = 7


def said(user: str, version: int, name: str = "") -> Record:
    return Record(user.encode(), encode(Profile(user_id=user, version=version, name=name or None)))


def gone(user: str) -> Record:
    return Record(user.encode(), None)


def newest(*records: Record) -> list[Profile]:
    found = Newest(Profile, lambda p: p.user_id, lambda p: p.version)
    for record in records:
        found.add(record)
    return [profile for batch in found.batches(2) for profile in batch]


def test_the_highest_version_counts_even_if_an_older_one_was_written_after_it() -> None:
    assert [p.version for p in newest(said("a", 1), said("a", 3), said("a", 2))] == [3]


def test_of_the_same_version_the_later_one_counts() -> None:
    assert [p.name for p in newest(said("a", 1, "x"), said("a", 1, "y"))] == ["y"]


def test_a_tombstone_ends_what_was_before_and_a_new_beginning_counts() -> None:
    assert newest(said("a", 5), gone("a")) == []
    assert [p.version for p in newest(said("a", 5), gone("a"), said("a", 1))] == [1]


def test_batches_are_of_the_size_and_whole() -> None:
    assert [p.user_id for p in newest(*(said(u, 1) for u in "abcde"))] == list("abcde")


@pytest.mark.parametrize(
    "record",
    [
        Record(b"a", b"{"),
        Record(b"a", b'{"user_id":"a","nonsense":1}'),
        Record(b"a", encode(Profile(user_id="somebody else", version=9))),
    ],
)
def test_what_is_no_such_entity_is_refused_and_replaces_nothing(record: Record) -> None:
    found = Newest(Profile, lambda p: p.user_id, lambda p: p.version)
    found.add(said("a", 1))
    with pytest.raises(Invalid):
        found.add(record)
    assert [p.version for batch in found.batches(9) for p in batch] == [1]


def test_a_large_topic_is_told_of_on_the_way_and_bad_records_are_named_but_not_shown() -> None:
    lines: list[str] = []
    tally = Tally("profiles", lines.append)
    tally.saw(EVERY - 1)
    assert lines == []
    tally.saw(2)
    tally.put(3)
    for _ in range(30):
        tally.skip(Record(b"a", b"secret"), Invalid("email", "is none"))
    assert lines[0] == f"profiles: {EVERY + 1:,} records read"
    assert lines[1] == "profiles:0:7 skipped: email: is none"
    assert len(lines) == 11
    assert str(tally) == f"profiles: {EVERY + 1:,} records read, 3 restored, 30 bad skipped"
