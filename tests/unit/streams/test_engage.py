"""What people did becomes events and receipts."""

from datetime import UTC, datetime
from typing import Any

from streams.engage import engagements, receipts
from tocsin.records import Engagement, State
from tocsin.store.engaged import Deed

AT = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)
ACCEPTED = "2026-11-24T12:00:00Z"


def deed(kind: Any, name: str = "n1", accepted_at: str = ACCEPTED, at: datetime = AT) -> Deed:
    return Deed(kind, "ada", name, "REVIEW", accepted_at, at)


def test_reads_and_dismissals_are_engagement() -> None:
    read, dismissed = engagements([deed("read"), deed("ack"), deed("dismiss", "n2")])
    assert (read.kind, read.notification_id, read.user_id) == ("read", "n1", "ada")
    assert (read.at, read.channel, read.type, read.bot) == (AT, "inapp", "REVIEW", False)
    assert (dismissed.kind, dismissed.notification_id) == ("dismiss", "n2")


def test_the_same_thing_done_again_is_the_same_event() -> None:
    def ids(*deeds: Deed) -> set[str]:
        return {event.event_id for event in engagements(deeds)}

    later = AT.replace(hour=13)
    assert len(ids(deed("read"), deed("read", at=later))) == 1
    assert len(ids(deed("read"), deed("dismiss"), deed("read", "n2"))) == 3
    longest = engagements([deed("read", "n" * 128)])[0]
    assert len(longest.event_id) <= 128
    assert isinstance(longest, Engagement)


def test_an_acknowledgement_is_a_receipt_and_no_attempt() -> None:
    (receipt,) = receipts([deed("read"), deed("ack"), deed("dismiss")])
    assert (receipt.delivery_id, receipt.channel) == ("n1:inapp", "inapp")
    assert (receipt.state, receipt.provider) == (State.ACKED, "socket")
    assert (receipt.attempt, receipt.at) == (0, AT)
    assert receipt.accepted_at == datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_time_that_cannot_be_read_stops_nothing() -> None:
    for said in ("", "yesterday", "2026-11-24T12:00:00"):
        assert receipts([deed("ack", accepted_at=said)])[0].accepted_at == AT
