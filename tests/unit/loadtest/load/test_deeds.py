"""What is done to the system on the way, as the command line says it."""

import pytest

from loadtest.load.deeds import Kill, Trouble, parse
from tocsin.errors import Invalid


def test_kills_and_faults_come_in_order_of_time() -> None:
    found = parse(["writer@90", "sender-push-0@20.5"], ["fcm:503@60+10"], 120)
    assert found == [
        Kill(20.5, "sender-push-0"), Trouble(60, "fcm", 503, 10), Kill(90, "writer"),
    ]  # fmt: skip


def test_a_fault_is_what_the_sandbox_takes() -> None:
    (found,) = parse([], ["fcm:503@60+10"], 120)
    assert isinstance(found, Trouble)
    assert found.body == {"provider": "fcm", "status": 503, "for_s": 10}


@pytest.mark.parametrize(
    "text", ["streams-1", "streams-1@", "@5", "streams-1@-5", "streams-1@soon", "streams-1@500"]
)
def test_a_kill_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse([text], [], 120)
    assert caught.value.field == "kill"


@pytest.mark.parametrize(
    "text", ["fcm", "fcm:503", "fcm:503@60", "fcm:200@60+5", "fax:503@60+5", "fcm:503@60+0"]
)
def test_a_fault_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse([], [text], 120)
    assert caught.value.field == "fault"
