"""What one socket may say when."""

import json

import pytest

from actors.sockets import close_codes as codes
from actors.sockets.close_codes import CloseCode, Hangup
from actors.sockets.frames import (
    Ack,
    ClientFrame,
    Delete,
    Hello,
    Ping,
    Read,
    Resume,
    Unread,
    Watch,
)
from actors.sockets.rate import BURST
from actors.sockets.session import Session
from tocsin.errors import Invalid

HELLO = '{"op":"hello","ticket":"t"}'


def greeted() -> Session:
    session = Session(0)
    session.receive(HELLO, 0)
    return session


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (HELLO, Hello(ticket="t")),
        (
            '{"op":"hello","token":"a.b.c","resume":{"epoch":"e","offset":7}}',
            Hello(token="a.b.c", resume=Resume("e", 7)),
        ),
        ('{"op":"hello","ticket":"t","resume":null}', Hello(ticket="t")),
    ],
)
def test_a_hello_opens(message: str, frame: ClientFrame) -> None:
    assert Session(0).receive(message, 0) == frame


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ('{"op":"ack","offset":3}', Ack(3)),
        ('{"op":"read","ids":["a","b"]}', Read(("a", "b"))),
        ('{"op":"read","all":true}', Read(all=True)),
        ('{"op":"unread","ids":["a"]}', Unread(("a",))),
        ('{"op":"delete","ids":["a","b"]}', Delete(("a", "b"))),
        ('{"op":"watch","skus":["X","X","Y"]}', Watch(frozenset("XY"))),
        ('{"op":"watch","skus":[]}', Watch(frozenset())),
        (' {"op" : "ping"} ', Ping()),
    ],
)
def test_after_it_everything_else_is_understood(message: str, frame: ClientFrame) -> None:
    assert greeted().receive(message, 0) == frame


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ('{"op":"ping"}', codes.PROTOCOL, "op"),
        ('{"op":"hello"}', codes.PROTOCOL, ""),
        ('{"op":"hello","ticket":"t","token":"u"}', codes.PROTOCOL, ""),
        ('{"op":"hello","ticket":""}', codes.PROTOCOL, "ticket"),
        ('{"op":"hello","ticket":7}', codes.PROTOCOL, "ticket"),
        ('{"op":"hello","ticket":"t","user":"u"}', codes.PROTOCOL, "user"),
        ('{"op":"hello","ticket":"t","resume":{"epoch":"e"}}', codes.PROTOCOL, "resume.offset"),
        (
            '{"op":"hello","ticket":"t","resume":{"epoch":"e","offset":-1}}',
            codes.PROTOCOL,
            "resume.offset",
        ),
        ("hello", codes.PROTOCOL, ""),
        ("", codes.PROTOCOL, ""),
        ("[" * 60_000, codes.PROTOCOL, ""),
        (b"\x00", codes.UNSUPPORTED, ""),
    ],
)
def test_any_other_beginning_ends_it(message: str | bytes, code: CloseCode, field: str) -> None:
    with pytest.raises(Hangup) as caught:
        Session(0).receive(message, 0)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.reason


@pytest.mark.parametrize(
    ("message", "field", "word"),
    [
        ('{"op":"ack"}', "offset", "missing"),
        ('{"op":"ack","offset":-1}', "offset", ">= 0"),
        ('{"op":"ack","offset":1.5}', "offset", "int"),
        ('{"op":"ack","offset":1,"x":2}', "x", "unknown"),
        ('{"op":"read"}', "", "exactly one"),
        ('{"op":"read","ids":["a"],"all":true}', "", "exactly one"),
        ('{"op":"read","ids":[]}', "ids", "length"),
        ('{"op":"read","ids":["a",7]}', "ids[1]", "str"),
        ('{"op":"unread"}', "ids", "missing"),
        ('{"op":"unread","all":true}', "all", "unknown"),
        ('{"op":"delete","ids":[]}', "ids", "length"),
        ('{"op":"delete","ids":["a",""]}', "ids[1]", "length"),
        (json.dumps({"op": "delete", "ids": ["a"] * 201}), "ids", "length"),
        ('{"op":"watch","skus":"A"}', "skus", "array"),
        ('{"op":"sing"}', "op", "sing"),
        ('{"offset":1}', "op", "missing"),
        ("[]", "", "object"),
        ("7", "", "object"),
    ],
)
def test_a_wrong_frame_is_named_and_survived(message: str, field: str, word: str) -> None:
    session = greeted()
    with pytest.raises(Invalid) as caught:
        session.receive(message, 0)
    assert caught.value.field == field
    assert word in caught.value.reason
    assert session.receive('{"op":"ping"}', 0) == Ping()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (HELLO, codes.PROTOCOL),
        ("{", codes.PROTOCOL),
        (b'{"op":"ping"}', codes.UNSUPPORTED),
    ],
)
def test_what_is_no_frame_at_all_ends_it(message: str | bytes, code: CloseCode) -> None:
    session = greeted()
    with pytest.raises(Hangup) as caught:
        session.receive(message, 0)
    assert caught.value.code is code


def test_a_flood_ends_it_and_a_patient_client_goes_on() -> None:
    session = greeted()
    for _ in range(int(BURST) - 1):
        session.receive('{"op":"ping"}', 0)
    with pytest.raises(Hangup) as caught:
        session.receive('{"op":"ping"}', 0)
    assert caught.value.code is codes.RATE
    for second in range(1, 200):
        for twentieth in range(20):
            session.receive('{"op":"ping"}', second + twentieth / 20)
