"""Lines that outlive whoever wrote them, until they are done."""

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from api import journal as module
from api.journal import Journal


def files(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(directory.iterdir())]


def left(directory: Path) -> list[bytes]:
    """What whoever starts next takes up; then done."""
    journal = Journal(directory)
    found = list(journal.left())
    for _, segment in found:
        journal.done(segment)
    journal.close()
    return [line for line, _ in found]


def write_and_die(directory: Path, *lines: bytes) -> None:
    """In a process of its own, which ends without a word."""

    def work() -> None:
        journal = Journal(directory)
        for line in lines:
            journal.write(line)
        os._exit(9)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 9


def test_a_line_is_there_until_it_is_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "clicks")
    one, two = journal.write(b"one"), journal.write(b"two")
    assert files(tmp_path / "clicks") == [b"one\ntwo\n"]
    journal.done(one)
    assert files(tmp_path / "clicks") == [b"one\ntwo\n"]
    journal.done(two)
    assert files(tmp_path / "clicks") == [b""]
    journal.done(journal.write(b"three"))
    journal.close()
    assert files(tmp_path / "clicks") == []


def test_what_a_dead_one_left_is_taken_up_and_then_gone(tmp_path: Path) -> None:
    write_and_die(tmp_path, b"one", b"two")
    assert left(tmp_path) == [b"one", b"two"]
    assert files(tmp_path) == []


def test_killed_again_before_they_are_done_they_are_left_again(tmp_path: Path) -> None:
    write_and_die(tmp_path, b"one")
    journal = Journal(tmp_path)
    assert [line for line, _ in journal.left()] == [b"one"]
    journal.close()
    assert left(tmp_path) == [b"one"]


def test_a_living_ones_lines_are_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    segment = journal.write(b"one")
    assert left(tmp_path) == []
    assert list(journal.left()) == []
    journal.done(segment)
    assert files(tmp_path) == [b""]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    write_and_die(tmp_path, b"one", b"two")
    (path,) = tmp_path.iterdir()
    os.truncate(path, len(b"one\ntw"))
    assert left(tmp_path) == [b"one"]


def test_a_large_file_makes_room_for_another_and_goes_when_its_lines_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 10)
    journal = Journal(tmp_path)
    segments = [journal.write(b"line-%d" % n) for n in range(5)]
    assert len(set(segments)) == 3
    for segment in segments:
        journal.done(segment)
    assert files(tmp_path) == [b""]


def test_of_a_line_the_disk_does_not_take_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    segment = journal.write(b"one")
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    with pytest.raises(OSError, match="takes no more"):
        journal.write(b"two and more")
    monkeypatch.setattr(os, "write", write)
    journal.write(b"three")
    assert files(tmp_path) == [b"one\nthree\n"]
    assert segment.waiting == 2


def test_a_full_disk_at_the_start_leaves_what_was_left_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_and_die(tmp_path, b"one")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        assert left(tmp_path) == []
    assert left(tmp_path) == [b"one"]
