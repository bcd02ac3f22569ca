"""The SMTP conversation, and what becomes of a message."""

import base64
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.sandbox.faults import Fault, FaultBoard
from loadtest.sandbox.journal import Journal
from loadtest.sandbox.smtp import PostOffice, describe, receipts
from loadtest.sandbox.smtp_session import Envelope, SmtpSession

MAIL = b"EHLO me\r\nMAIL FROM:<shop@a.example> SIZE=20\r\nRCPT TO:<jo@b.example>\r\nDATA\r\n"


class _Desk(PostOffice):
    """A post office whose journal and faults a test can reach."""

    def __init__(self) -> None:
        self.journal, self.faults = Journal(), FaultBoard()
        super().__init__(self.journal, self.faults, "user", "pass")


def _contents(desk: _Desk) -> list[bytes | None]:
    return [entry.content for entry in desk.journal.entries() if entry]


def _codes(replies: bytes) -> list[int]:
    return [int(line[:3]) for line in replies.splitlines() if line[3:4] != b"-"]


def _talk(*parts: bytes) -> tuple[_Desk, bytes]:
    desk = _Desk()
    session = SmtpSession(desk)
    return desk, b"".join(session.receive(part).data for part in parts)


def _pieces(whole: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return (whole[a:b] for a, b in pairwise(edges))


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_replies_do_not_depend_on_how_the_bytes_were_cut(cuts: list[int]) -> None:
    whole = MAIL + b"A: b\r\n\r\n..dot\r\n.\r\n" + MAIL[9:] + b".\r\nNOOP\r\nQUIT\r\n"
    desk, replies = _talk(*_pieces(whole, cuts))
    assert _codes(replies) == [250, 250, 250, 354, 250, 250, 250, 354, 250, 250, 221]
    assert _contents(desk) == [b"A: b\r\n\r\n.dot\r\n", b""]


def test_only_a_dot_between_line_ends_ends_a_message() -> None:
    smuggled = b"one\n.\nMAIL FROM:<x@y.example>\r.\rtwo\n.\r\nthree\r\n.\r\n"
    desk, replies = _talk(MAIL, smuggled)
    assert _codes(replies)[-1] == 250
    assert len(_contents(desk)) == 1


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (b"MAIL FROM:<a@b.example>\r\n", 503),
        (b"EHLO\r\n", 501),
        (b"EHLO me\r\nRCPT TO:<a@b.example>\r\n", 503),
        (b"EHLO me\r\nDATA\r\n", 503),
        (b"EHLO me\r\nMAIL a@b.example\r\n", 501),
        (b"EHLO me\r\nMAIL FROM:<nonsense>\r\n", 501),
        (b"EHLO me\r\nMAIL FROM:<>\r\n", 250),
        (b"EHLO me\r\nMAIL FROM:<a@b.example> SIZE=99999999\r\n", 552),
        ("EHLO me\r\nMAIL FROM:<jö@b.example>\r\n".encode(), 553),
        ("EHLO me\r\nMAIL FROM:<jö@b.example> SMTPUTF8\r\n".encode(), 250),
        (b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\n", 503),
        (b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRSET\r\nMAIL FROM:<a@b.example>\r\n", 250),
        (b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bounce+1@b.example>\r\n", 550),
        (b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<full@b.example>\r\n", 452),
        (b"EHLO me\r\nDANCE\r\n", 500),
        (b"EHLO me\r\nVRFY jo\r\n", 252),
        (b"x" * 5000, 500),
    ],
)
def test_a_command_out_of_place_gets_its_code(lines: bytes, code: int) -> None:
    assert _codes(_talk(lines)[1])[-1] == code


@pytest.mark.parametrize(
    ("secret", "code"), [(b"\0user\0pass", 235), (b"\0user\0no", 535), (b"user", 501)]
)
def test_plain_log_in_is_checked_in_one_line_or_two(secret: bytes, code: int) -> None:
    encoded = base64.b64encode(secret)
    assert _codes(_talk(b"EHLO me\r\nAUTH PLAIN " + encoded + b"\r\n")[1])[-1] == code
    assert _codes(_talk(b"EHLO me\r\nAUTH PLAIN\r\n", encoded + b"\r\n")[1])[-2:] == [334, code]


def test_a_status_fault_refuses_and_journals_nothing() -> None:
    desk = _Desk()
    desk.faults.put(Fault("smtp", status=454), now=0)
    replies = SmtpSession(desk).receive(MAIL + b"x\r\n.\r\n").data
    assert _codes(replies)[-1] == 454
    assert (_contents(desk), desk.journal.summary()["rejected"]) == ([], {"smtp": 1})


@pytest.mark.parametrize("latency_ms", [0, 500])
def test_421_is_the_last_word(latency_ms: int) -> None:
    desk = _Desk()
    desk.faults.put(Fault("smtp", status=421, latency_ms=latency_ms), now=0)
    session = SmtpSession(desk)
    output = session.receive(MAIL + b"x\r\n.\r\nNOOP\r\n")
    output = session.resume() if latency_ms else output
    assert output.close
    assert _codes(output.data)[-1] == 421


def test_a_late_answer_holds_back_what_was_pipelined_after_it() -> None:
    desk = _Desk()
    desk.faults.put(Fault("smtp", latency_ms=500), now=0)
    session = SmtpSession(desk)
    output = session.receive(MAIL + b"x\r\n.\r\nNOOP\r\n")
    assert (_codes(output.data)[-1], output.delay) == (354, 0.5)
    assert session.receive(b"RSET\r\n").data == b""
    assert _codes(session.resume().data) == [250, 250, 250]


def test_a_cut_comes_after_the_message_was_journalled() -> None:
    desk = _Desk()
    desk.faults.put(Fault("smtp", reset_after_accept=True), now=0)
    output = SmtpSession(desk).receive(MAIL + b"x\r\n.\r\n")
    assert output.cut
    assert _codes(output.data)[-1] == 354
    assert _contents(desk) == [b"x\r\n"]


def test_each_recipient_gets_a_receipt_named_by_the_header() -> None:
    content = (
        b"Message-ID: <bjE6ZW1haWw@t.example>\r\nX-Tocsin-Delivery-Id:\r\n n1:email\r\n"
        b"x-tocsin-type: REVIEW\r\nSubject: Hi\r\n\r\nX-Tocsin-Type: not this\r\n"
    )
    found = receipts(Envelope("a@b.example", ["x@c.example", "y@c.example"], content), "q1")
    assert [receipt.recipient for receipt in found] == ["x@c.example", "y@c.example"]
    assert {(r.id, r.delivery_id, r.type) for r in found} == {
        ("bjE6ZW1haWw@t.example", "n1:email", "REVIEW")
    }


def test_a_long_id_in_encoded_words_is_read() -> None:
    content = b"X-Tocsin-Delivery-Id: =?utf-8?b?bjE6?=\r\n =?utf-8?b?ZW1haWw=?=\r\n\r\n"
    (receipt,) = receipts(Envelope("", ["x@c.example"], content), "q1")
    assert (receipt.id, receipt.delivery_id) == ("q1", "n1:email")


def test_without_the_header_the_message_id_names_the_delivery() -> None:
    content = b"Message-ID: <n1@t.example>\r\n\r\n"
    (receipt,) = receipts(Envelope("", ["x@c.example"], content), "q1")
    assert receipt.delivery_id == "n1"


def test_a_person_reads_subject_and_text() -> None:
    content = (
        b"From: Shop <s@a.example>\r\nSubject: =?utf-8?q?Z=C3=BCrich?=\r\n"
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"Gr\xc3\xbcezi\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--b--\r\n"
    )
    found = describe(content)
    assert (found["subject"], found["text"].strip()) == ("Zürich", "Grüezi")
