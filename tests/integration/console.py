"""Pages whose `console` blocks are run: what a person would type, and what they were told."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

_END: Final = "\x1eend"
_PATIENCE: Final = 15.0
"""Seconds until a plain read must say what the page says: a person types slower than a test."""

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARYING: Final = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "TIME"),
    (r"\b[\w-]{22}\.[\w-]{11}\.[\w-]{22}", "CHALLENGE"),
    (r"\brules=[0-9a-f]{8}\b", "RULES"),
    (r"^[0-9]{6} is your\b", "CODE is your"),
)
"""What differs from run to run, and the name that stands for it."""


class Line(NamedTuple):
    """A command, and what it prints; `…` stands for anything."""

    command: str
    answer: str

    @property
    def reads(self) -> bool:
        """Whether it may be asked again: it changes nothing."""
        calls = re.search(r"\b(api|curl|why)\b", self.command)
        writes = re.search(r" -(d|X) |^\w+=", self.command)
        return calls is not None and writes is None


def lines(page: Path) -> list[Line]:
    """Every command of the page, in order."""
    return [line for block in _BLOCK.findall(page.read_text()) for line in _lines(block)]


def _lines(block: str) -> Iterator[Line]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield Line(command, answer.strip())


class Terminal:
    """A bash in `directory`, as a context manager. The page's addresses stand for those of
    `instead`, in what is typed and in what is printed."""

    def __init__(self, env: Mapping[str, str], directory: Path, instead: Mapping[str, str]) -> None:
        self._instead = instead
        self._bash = subprocess.Popen(
            ["bash"], env=dict(env), cwd=directory, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self._bash.kill()
        self._bash.communicate()

    def type(self, command: str) -> str:
        """What it prints."""
        for ours, theirs in self._instead.items():
            command = command.replace(ours, theirs)
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f"{command}\nprintf '\\n%s\\n' '{_END}'\n")
        self._bash.stdin.flush()
        told = "".join(iter(self._bash.stdout.readline, f"{_END}\n"))
        for ours, theirs in self._instead.items():
            told = told.replace(theirs, ours)
        return told.strip()

    def check(self, line: Line) -> None:
        """Fails unless it prints what the page says, apart from ids, times and codes."""
        end = time.monotonic() + _PATIENCE
        while True:
            told = self.type(line.command)
            if alike(told, line.answer):
                return
            if not line.reads or time.monotonic() > end:
                raise AssertionError(f"$ {line.command}\n{told}\nthe page says\n{line.answer}")
            time.sleep(0.1)


def alike(told: str, answer: str) -> bool:
    """Whether they are the same apart from what varies."""
    pattern = ".*".join(re.escape(_plain(part)) for part in answer.split("…"))
    return re.fullmatch(pattern, _plain(told), re.DOTALL) is not None


def _plain(text: str) -> str:
    for pattern, name in _VARYING:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text
