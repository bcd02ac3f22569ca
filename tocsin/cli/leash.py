"""Run a command that cannot outlive its parent: `python -I -S leash.py STATE [--family] -- CMD …`.

The kernel's PDEATHSIG is set on this process and then the command is exec'd in its place, so the
process supervisor sees the command's own pid. STATE is the JSON file whose "environment" the
command gets; it is read at every start, so that a restarted process sees what is true now.

With --family this process stays as the command's parent and as the reaper of all its descendants,
and takes them along when the command ends: for commands (Ray) that scatter daemons.

Only the standard library, and no site-packages: this runs before every process and takes 20 ms.
"""

import ctypes
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_PDEATHSIG, _SUBREAPER = 1, 36
GRACE = 5.0
"""Seconds between asking what is left of a family to end, and ending it."""


def main(argv: list[str]) -> int:
    """Exec, or with --family run, the command. Returns only the exit code of a family's head."""
    at = argv.index("--")
    state, family, command = Path(argv[0]), "--family" in argv[1:at], argv[at + 1 :]
    die_with(int(os.environ.get("SUPERVISORD_PID", os.getppid())))
    name = os.environ.get("SUPERVISOR_PROCESS_NAME", "command")
    _note_start(state.parent / f"{name}.starts")
    environment = {**os.environ, **json.loads(state.read_text())["environment"]}
    environment["TOCSIN_PROCESS_NAME"] = name
    if not family:
        os.execvpe(command[0], command, environment)  # noqa: S606
    return _head_of_family(command, environment)


def die_with(parent: int, number: int = signal.SIGTERM) -> None:
    """Have Linux send us `number` when `parent` ends; end now if it ended already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit(f"leash: the parent {parent} is gone already")


def _note_start(starts: Path) -> None:
    """One line per start, which is how `tocsin status` counts restarts."""
    with starts.open("a") as file:
        file.write(f"{time.time():.3f} {os.getpid()}\n")


def become_reaper() -> None:
    """Have orphans of any depth below this process become its children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1)


def _head_of_family(command: list[str], environment: dict[str, str]) -> int:
    become_reaper()
    leader = os.getpid()
    # blocked until the handler knows the child: a stop that comes meanwhile is not lost
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)
        die_with(leader)
        os.execvpe(command[0], command, environment)  # noqa: S606
    for number in stops:
        signal.signal(number, lambda *_: _send([child], signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)
    code = _wait_for(child)
    end_family()
    return code


def _wait_for(child: int) -> int:
    """Reap whoever ends until it is the child; its exit code, or 128 + the signal."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def end_family() -> None:
    """End every descendant of this process: SIGTERM, and SIGKILL for who is there after GRACE."""
    end = time.monotonic() + GRACE
    number: int = signal.SIGTERM
    while left := _living():
        _send(left, number)
        wave_over = time.monotonic() + 0.5
        while left and time.monotonic() < wave_over:
            time.sleep(0.02)
            left = _living()
        if time.monotonic() > end:
            number = signal.SIGKILL


def _living() -> list[int]:
    """Descendants that have not ended, after reaping those that did."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return descendants(os.getpid())


def descendants(root: int) -> list[int]:
    """Pids of the living descendants of `root`, from /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir() if sys.platform == "linux" else ():
        if entry.name.isdigit():
            with suppress(OSError):
                # the name in parentheses may itself hold spaces and parentheses
                state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if state != "Z":
                    children.setdefault(int(parent), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        kin = children.get(todo.pop(), [])
        found += kin
        todo += kin
    return found


def _send(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
