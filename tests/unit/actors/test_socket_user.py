"""A person's connection: sockets are cursors over the inbox."""

import pytest

from actors.sockets import close_codes
from actors.sockets.close_codes import Hangup
from actors.sockets.frames import Push, Resume
from actors.sockets.user import MAX_SOCKETS, Seat, Step, UserConnection, step
from tests.unit.actors.socket_fakes import FakeLine, item, push
from tocsin.errors import Invalid
from tocsin.store.inbox import Resumed

NOTE = Push("u", b'{"op":"read","ids":["n1"],"unread":0}')


class Person:
    """A connection whose catch-ups are answered by hand."""

    def __init__(self, bound: int = 8) -> None:
        self.asked: list[Seat] = []
        self.connection = UserConnection("u", lambda user, seat: self.asked.append(seat), bound)

    def arrive(self, at: int = 0, resume: Resume | None = None) -> tuple[FakeLine, Seat]:
        line = FakeLine()
        seat = self.connection.attach(line, resume)
        self.connection.caught_up(seat, Resumed("e", at, 0, [] if resume else None))
        return line, seat


@pytest.mark.parametrize(
    ("epoch", "cursor", "what", "expected"),
    [
        ("e", 0, push(1), Step.SEND),
        ("e", 4, push(5), Step.SEND),
        ("e", 5, push(5), Step.SKIP),
        ("e", 9, push(5), Step.SKIP),
        ("e", 4, push(6), Step.FETCH),
        ("e", 4, push(5, "other"), Step.FETCH),
        ("e", 9, push(5, "other"), Step.FETCH),
        ("e", 9, NOTE, Step.SEND),
        ("", 0, NOTE, Step.SEND),
    ],
)
def test_the_rule_of_order(epoch: str, cursor: int, what: Push, expected: Step) -> None:
    assert step(epoch, cursor, what) is expected


def test_a_socket_is_greeted_with_where_the_inbox_stands() -> None:
    line, _ = Person().arrive(at=7)
    assert line.sent == [{"op": "ready", "epoch": "e", "offset": 7, "unread": 0}]


def test_a_push_goes_to_every_socket() -> None:
    person = Person()
    lines = [person.arrive()[0] for _ in range(3)]
    assert person.connection.push(push(1))
    assert [line.offsets() for line in lines] == [[1]] * 3


def test_nobody_there_is_no_delivery() -> None:
    person = Person()
    _, seat = person.arrive()
    person.connection.detach(seat)
    assert not person.connection.push(push(1))


def test_a_repeated_push_is_shown_once_and_still_counts_as_taken() -> None:
    person = Person()
    line, _ = person.arrive()
    assert [person.connection.push(push(1)) for _ in range(3)] == [True] * 3
    assert line.offsets() == [1]


def test_a_gap_is_fetched_and_pushes_wait_meanwhile() -> None:
    person = Person()
    line, seat = person.arrive()
    assert not person.connection.push(push(3))
    assert not person.connection.push(push(4))
    assert line.offsets() == []
    assert person.asked == [seat]
    person.connection.caught_up(seat, Resumed("e", 3, 3, [(n, item(n)) for n in (1, 2, 3)]))
    assert line.offsets() == [1, 2, 3, 4]
    assert len(line.sent) == 5


def test_a_gap_that_cannot_be_filled_is_said() -> None:
    person = Person()
    line, seat = person.arrive()
    person.connection.push(push(300))
    person.connection.caught_up(seat, Resumed("e", 300, 200, None))
    expected = {"op": "ready", "epoch": "e", "offset": 300, "unread": 200, "recovered": False}
    assert line.sent[1:] == [expected]
    assert person.connection.push(push(301))
    assert line.offsets() == [301]


def test_an_inbox_that_was_lost_is_said_and_its_old_pushes_ask_once() -> None:
    person = Person()
    line, seat = person.arrive(at=5)
    person.connection.push(push(1, "new"))
    person.connection.caught_up(seat, Resumed("new", 1, 1, None))
    assert line.sent[-1]["recovered"] is False
    person.connection.push(push(6, "e"))
    assert len(person.asked) == 2
    person.connection.caught_up(seat, Resumed("new", 1, 1, []))
    assert len(person.asked) == 2
    assert person.connection.push(push(2, "new"))
    assert line.offsets() == [2]


def test_resume_brings_what_was_missed() -> None:
    person, line = Person(), FakeLine()
    seat = person.connection.attach(line, Resume("e", 4))
    assert (seat.epoch, seat.cursor) == ("e", 4)
    assert not person.connection.push(push(6))
    person.connection.caught_up(seat, Resumed("e", 6, 2, [(5, item(5)), (6, item(6))]))
    assert line.sent[0] == {
        "op": "ready", "epoch": "e", "offset": 6, "unread": 2, "recovered": True,
    }  # fmt: skip
    assert line.offsets() == [5, 6]


def test_resume_from_a_lost_position_says_so() -> None:
    person, line = Person(), FakeLine()
    seat = person.connection.attach(line, Resume("old", 4))
    person.connection.caught_up(seat, Resumed("e", 6, 2, None))
    assert [f["recovered"] for f in line.sent] == [False]


def test_a_slow_socket_is_closed_and_the_others_are_not_harmed() -> None:
    person = Person(bound=8)
    slow, slow_seat = person.arrive()
    fast, _ = person.arrive()
    slow.writable = False
    for offset in range(1, 9):
        assert person.connection.push(push(offset))
    assert slow.ended is None
    person.connection.push(push(9))
    assert slow.ended is close_codes.SLOW
    assert slow_seat not in person.connection.seats
    assert fast.offsets() == list(range(1, 10))


def test_a_socket_that_reads_again_gets_the_rest_in_order() -> None:
    person = Person()
    line, seat = person.arrive()
    line.writable = False
    person.connection.push(push(1))
    person.connection.push(NOTE)
    assert not person.connection.push(push(2))
    line.writable = True
    person.connection.resume(seat)
    assert [f["op"] for f in line.sent] == ["ready", "notification", "read", "notification"]


def test_acks_are_kept_per_socket_and_checked() -> None:
    person = Person()
    _, one = person.arrive()
    _, two = person.arrive()
    for offset in (1, 2, 3):
        person.connection.push(push(offset))
    person.connection.ack(one, 2)
    person.connection.ack(two, 3)
    person.connection.ack(two, 1)
    assert (one.acked, two.acked) == (2, 3)
    with pytest.raises(Invalid, match="offset: nothing beyond 3"):
        person.connection.ack(one, 4)


def test_what_was_kept_of_a_lost_inbox_says_nothing_of_the_next() -> None:
    person = Person()
    _, seat = person.arrive()
    person.connection.push(push(1))
    person.connection.push(push(2))
    person.connection.ack(seat, 2)
    person.connection.caught_up(seat, Resumed("another", 1, 1, None))
    assert (seat.epoch, seat.acked) == ("another", 0)
    person.connection.ack(seat, 1)
    assert seat.acked == 1


def test_a_person_has_a_bounded_number_of_sockets() -> None:
    person = Person()
    seats = [person.arrive()[1] for _ in range(MAX_SOCKETS)]
    with pytest.raises(Hangup) as caught:
        person.arrive()
    assert caught.value.code is close_codes.TOO_MANY
    person.connection.detach(seats[0])
    person.arrive()


def test_a_catch_up_that_comes_after_the_socket_left_writes_nothing() -> None:
    person, line = Person(), FakeLine()
    seat = person.connection.attach(line)
    person.connection.detach(seat)
    person.connection.caught_up(seat, Resumed("e", 0, 0, None))
    assert line.sent == []
