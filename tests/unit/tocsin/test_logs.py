"""What a process says of itself: a line for people, or one object, and nobody's address in it."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from tocsin.logs import Json, Text, masked


def record(message: str, *args: Any, **more: Any) -> logging.LogRecord:
    log = logging.getLogger("tocsin.test")
    return log.makeRecord(
        log.name, logging.WARNING, "f.py", 1, message, args, more.pop("exc_info", None),
        extra=more.pop("extra", None),
    )  # fmt: skip


def said(made: logging.LogRecord) -> dict[str, Any]:
    line = Json("streams-1").format(made)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def failure(words: str) -> Any:
    try:
        raise ValueError(words)
    except ValueError:
        return sys.exc_info()


def test_a_line_of_json_says_when_who_and_what() -> None:
    found = said(record("%d waits", 3))
    assert found.pop("ts").endswith("+00:00")
    assert found == {
        "level": "WARNING", "logger": "tocsin.test", "message": "3 waits", "process": "streams-1",
    }  # fmt: skip


def test_what_it_is_about_is_a_field_and_nothing_else_is() -> None:
    about = {"notification_id": "n1", "delivery_id": "n1:sms", "phone": "+447700900123"}
    found = said(record("failed", extra=about))
    assert (found["notification_id"], found["delivery_id"]) == ("n1", "n1:sms")
    assert "phone" not in found


def test_a_traceback_is_inside_the_object() -> None:
    found = said(record("failed", exc_info=failure("bad words")))
    assert found["exception"].startswith("Traceback")
    assert found["exception"].endswith("ValueError: bad words")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no mail to ada.b+x@mail.example.org today", "no mail to …@… today"),
        ("redis://:se:cr%40et@10.0.0.1:6379/0 is away", "redis://…@10.0.0.1:6379/0 is away"),
        ("SMS to +447700900123: refused", "SMS to +…: refused"),
        ("5 + 3 at 12:00:00+00:00, offset +17", "5 + 3 at 12:00:00+00:00, offset +17"),
        ("a plain line", "a plain line"),
    ],
)
def test_addresses_and_passwords_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert said(record(text))["message"] == shown
    assert Text().format(record(text)) == f"WARNING tocsin.test: {shown}"
    wrapped = record("failed", exc_info=failure(text))
    assert said(wrapped)["exception"].endswith(f"ValueError: {shown}")


def test_what_nobody_caught_is_an_object_too() -> None:
    """In a process of its own: the tests' logging is left alone."""
    program = (
        "from tocsin.logs import to_stdout; from tocsin.settings import Settings;"
        "to_stdout(Settings(log_format='json'), 'api'); raise RuntimeError('so')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    assert (found["level"], found["process"]) == ("CRITICAL", "api")
    assert found["exception"].endswith("RuntimeError: so")
