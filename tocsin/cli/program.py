"""A process of `tocsin up`: how it is started, when it counts as up, and in which wave."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

Probe = Callable[[], bool]

START_SECONDS: Final = 180
"""How long a process may take until it is ready, unless its program says otherwise."""


class Wave(IntEnum):
    """Stopped from the last to the first, each ended before the next is asked.

    So the API closes first, streams finish what was taken, the writer what they made of it, and
    the engines go last.
    """

    ENGINES = 1
    SCHEMA = 2
    ACTORS = 3
    WRITER = 4
    STREAMS = 5
    API = 6
    REPLAY = 7


STAGES: Final = (
    (Wave.ENGINES,),
    (Wave.SCHEMA, Wave.ACTORS),
    (Wave.WRITER, Wave.STREAMS),
    (Wave.API,),
)
"""Started stage by stage, all of one at once, and ready before the next: what each needs is in the
stages before it."""


@dataclass(frozen=True)
class Program:
    """One process. Ready when `probe` says so; without one, when its ready file has its pid. With
    a `port`, not before it is this very process (or one below it) that listens there.

    `once`: it does its work, exits 0, and is not started again. `restart`: started again when it
    dies. `family`: it scatters daemons, which end with it. `start_seconds`: how long it may take
    until it is ready. `stop_seconds`: how long it may take to finish before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    wave: Wave
    probe: Probe | None = None
    port: int | None = None
    once: bool = False
    restart: bool = True
    family: bool = False
    start_seconds: int = START_SECONDS
    stop_seconds: int = 20


def module(name: str, *args: object) -> tuple[str, ...]:
    """`python -m name`, deaf to same-named packages in the user's directory."""
    return (sys.executable, "-P", "-m", name, *(str(arg) for arg in args))


def replay(argv: tuple[str, ...]) -> Program:
    """The replay as a process: started once all else is up, stopped first."""
    return Program("replay", module("loadtest.replay", *argv), Wave.REPLAY, once=True)
