"""Logs: what is alarming, what is new, and the last words."""

import json
from pathlib import Path

import pytest

from tocsin.cli.logs import Follower, Line, level, tail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INFO tocsin: ready", "info"),
        ("WARNING streams: slow", "warning"),
        ("2026-11-22 <Error> [WARN] something", "warning"),
        ("ERROR aiokafka: gone", "error"),
        ("Traceback (most recent call last):", "error"),
        ("*** FATAL CONFIG FILE ERROR ***", "error"),
        ("thread 'main' panicked at src", "error"),
        ("no errors today", "info"),
    ],
)
def test_any_programs_alarm_is_heard(text: str, expected: str) -> None:
    assert level(text) == expected


def test_only_whole_new_lines_are_told_once(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("old\n")
    follower = Follower(tmp_path)
    assert not list(follower.new())
    with log.open("a") as file:
        file.write("ERROR one\nhalf")
    assert list(follower.new()) == [Line("api", "error", "ERROR one")]
    with log.open("a") as file:
        file.write(" done\n")
    assert list(follower.new()) == [Line("api", "info", "half done")]
    assert not list(follower.new())


def test_a_rotated_log_is_followed_from_its_new_beginning(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("a long first file\n")
    follower = Follower(tmp_path)
    log.rename(tmp_path / "api.log.1")
    log.write_text("new\n")
    assert [line.text for line in follower.new()] == ["new"]


def test_supervisords_own_log_is_not_news(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    (tmp_path / "supervisord.log").write_text("WARN x\n")
    assert not list(follower.new())


def test_the_last_words_are_the_last_lines_that_say_something(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("one\ntwo\n\nthree\n\n")
    assert tail(log, 2) == ["two", "three"]
    assert tail(tmp_path / "none.log", 2) == []


def test_a_line_of_json_is_shown_as_people_read_it(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    line = {"ts": "x", "level": "WARNING", "logger": "tocsin.writer", "message": "ERROR is a word"}
    fatal = line | {"level": "CRITICAL", "exception": "Traceback …\nValueError: x"}
    calm = line | {"level": "INFO"}
    lines = [json.dumps(each) for each in (line, fatal, calm)] + ['{"ERROR": "not ours"}', "{"]
    (tmp_path / "writer.log").write_text("\n".join(lines) + "\n")
    assert list(follower.new()) == [
        Line("writer", "warning", "WARNING tocsin.writer: ERROR is a word"),
        Line(
            "writer", "error", "CRITICAL tocsin.writer: ERROR is a word\nTraceback …\nValueError: x"
        ),
        Line("writer", "info", "INFO tocsin.writer: ERROR is a word"),
        Line("writer", "error", '{"ERROR": "not ours"}'),
        Line("writer", "info", "{"),
    ]
