"""The requests of a window: in the order of acceptance, once each, whatever the log is like."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from streams.tally import Tally
from streams.window import Logged, Window
from tocsin.records import NotificationRequest, encode

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class _Record(NamedTuple):
    value: bytes | None
    timestamp: int
    partition: int = 0
    offset: int = 0


def _request(name: str, minutes: int | None = None, **more: Any) -> NotificationRequest:
    at = None if minutes is None else NOW + timedelta(minutes=minutes)
    return NotificationRequest(name, "anna", "SALE_OFFER", accepted_at=at, **more)


def _record(*requests: NotificationRequest, minutes: int = 0) -> _Record:
    stamp = int((NOW + timedelta(minutes=minutes)).timestamp() * 1000)
    return _Record(encode({"requests": requests}), stamp)


def _taken(window: Window, *records: _Record) -> list[Logged]:
    window.take(records, Tally("notification.requests", lambda _: None))
    return [each for batch in window.batches(2) for each in batch]


def test_they_come_in_the_order_of_their_acceptance_from_wherever_they_stood() -> None:
    with Window(NOW - HOUR, NOW + HOUR) as window:
        found = _taken(
            window,
            _record(_request("c", 20), _request("a", 0)),
            _record(_request("b"), minutes=10),
            _record(_request("d", 20), _request("e", 20)),
        )
        assert [each.request.notification_id for each in found] == ["a", "b", "c", "d", "e"]
        assert found[1].accepted_at == NOW + timedelta(minutes=10)


def test_a_microsecond_outside_is_outside() -> None:
    instant = timedelta(microseconds=1)
    ats = {"before": NOW - instant, "first": NOW, "last": NOW + HOUR - instant, "after": NOW + HOUR}
    requests = [NotificationRequest(n, "anna", "X", accepted_at=at) for n, at in ats.items()]
    with Window(NOW, NOW + HOUR) as window:
        found = _taken(window, _record(*requests))
        assert [each.request.notification_id for each in found] == ["first", "last"]


def test_of_an_id_the_one_accepted_first_counts() -> None:
    with Window(NOW - HOUR, NOW + HOUR) as window:
        late, early = _request("a", 5, data={"n": 2}), _request("a", 1, data={"n": 1})
        found = _taken(window, _record(late), _record(early), _record(late), _record(early))
        assert [each.request.data for each in found] == [{"n": 1}]
        assert window.counts == (4, 1, 3, 0)


def test_what_waited_before_it_stood_in_the_log_was_seen_then() -> None:
    with Window(NOW - HOUR, NOW + HOUR) as window:
        ahead, behind = _request("ahead", 0), _request("skewed", 30)
        found = _taken(window, _record(ahead, minutes=600), _record(behind, minutes=25))
        assert [each.seen_at for each in found] == [
            NOW + timedelta(minutes=600),
            NOW + timedelta(minutes=30),
        ]


def test_what_cannot_be_read_is_counted_and_spoils_nothing_else() -> None:
    stamp = int(NOW.timestamp() * 1000)
    batch = b'{"requests":[{"bad":1},' + encode(_request("a", 0)) + b"]}"
    with Window(NOW - HOUR, NOW + HOUR) as window:
        records = [_Record(value, stamp) for value in (b"{", None, batch)]
        assert [each.request.notification_id for each in _taken(window, *records)] == ["a"]
        assert window.counts == (3, 1, 0, 3)
