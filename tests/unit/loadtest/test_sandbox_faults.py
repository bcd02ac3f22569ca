"""Faults: who is hit, for how long, and what is refused."""

import pytest

from loadtest.sandbox.faults import Fault, FaultBoard
from tocsin.errors import Invalid
from tocsin.records import decode


def test_a_fault_hits_its_share_of_its_provider_only() -> None:
    board = FaultBoard()
    board.put(Fault("fcm", status=503, rate=0.25), now=0)
    assert board.draw("fcm", now=1, chance=0.24) is not None
    assert board.draw("fcm", now=1, chance=0.25) is None
    assert board.draw("apns", now=1, chance=0) is None
    assert board.listed(now=1)[0]["hits"] == 1


def test_a_fault_ends_when_its_time_is_over() -> None:
    board = FaultBoard()
    board.put(Fault("smtp", latency_ms=50, for_s=10), now=100)
    assert board.listed(now=104)[0]["left_s"] == 6
    assert board.draw("smtp", now=110, chance=0) is None
    assert board.listed(now=110) == []


def test_clearing_ends_one_or_all() -> None:
    board = FaultBoard()
    for provider in ("apns", "fcm", "smtp"):
        board.put(Fault(provider, status=500), now=0)
    board.clear("fcm")
    assert {fault["provider"] for fault in board.listed(0)} == {"apns", "smtp"}
    board.clear()
    assert board.listed(0) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"provider":"pigeon","status":500}', "provider"),
        (b'{"status":500}', "provider"),
        (b'{"provider":"apns","status":200}', "status"),
        (b'{"provider":"apns"}', "status"),
        (b'{"provider":"apns","status":500,"rate":1.5}', "rate"),
        (b'{"provider":"apns","status":500,"for_s":0}', "for_s"),
        (b'{"provider":"apns","status":500,"stauts":1}', "stauts"),
        (b'{"provider":"apns","status":429,"retry_after":"1\\r\\nx: y"}', "retry_after"),
        (b'{"provider":"apns","status":500,"reset_after_accept":true}', "reset_after_accept"),
        (b"[]", ""),
    ],
)
def test_a_bad_fault_is_refused_by_field(body: bytes, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode(Fault, body).checked()
    assert caught.value.field == field
