"""What every process does the same."""

import subprocess
import sys

_ASK = """
import gc
from tocsin.process import collect_rarely
collect_rarely()
print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 10_000)
"""


def test_garbage_is_looked_for_rarely_and_not_among_what_is_there() -> None:
    """In a process of its own: the tests' collector is left alone."""
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert done.stdout == "True (50000, 20, 50) True\n"
