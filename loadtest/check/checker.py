"""`check`: the verdict over a run, from a process of its own, because the engine would stay."""

import subprocess
import sys

import msgspec

from loadtest.check.engine import Unreadable
from loadtest.load.run_dir import RunDir, Verdict

CLEAN, FAULTY, UNJUDGED = 0, 1, 2
"""Exit codes of `python -m loadtest.check`."""


def check(run_dir: RunDir) -> Verdict:
    """Judge a run whose files are collected; verdict.json is written. Blocks for as long as it
    takes (about a second, and some seconds per million deliveries).

    Raises `Unreadable` (a `ConfigError`) saying what is missing or wrong.
    """
    run_dir.verdict.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.check", str(run_dir.path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        return msgspec.json.decode(run_dir.verdict.read_bytes(), type=Verdict)
    except (OSError, msgspec.DecodeError):
        said = done.stderr.strip().splitlines()
        raise Unreadable(
            said[-1] if said else f"the checker ended with {done.returncode}"
        ) from None


def exit_code(verdict: Verdict) -> int:
    """`FAULTY` if there is any fault, `UNJUDGED` if something could not be judged, else `CLEAN`."""
    if any(fault.count for fault in verdict.faults.values()):
        return FAULTY
    return UNJUDGED if verdict.unjudged else CLEAN
