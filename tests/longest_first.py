"""The order of test files: those that take long first, so that none is left for the end.

With `--dist loadfile` a file is one worker's, and a worker takes its next two files while it is at
one. xdist's own order, most tests first, puts a whole system's only test last, behind others.
"""

from typing import Final

LONG: Final = (
    "tests/integration/test_up_whole.py",
    "tests/integration/test_writer_crash.py",
    "tests/browser/test_shop.py",
    "tests/integration/test_rebuild.py",
    "tests/integration/test_writer_kills.py",
    "tests/browser/test_console_system.py",
    "tests/integration/test_writer.py",
    "tests/integration/test_actors_ray.py",
    "tests/integration/test_kill_9.py",
    "tests/integration/test_kill_9_broadcast.py",
    "tests/integration/test_flushall.py",
    "tests/integration/test_fan_out_kill_9.py",
    "tests/browser/test_inbox_element.py",
    "tests/browser/test_inbox_element_use.py",
    "tests/browser/test_console.py",
    "tests/integration/test_analytics_audit.py",
    "tests/integration/api/test_live_page.py",
    "tests/integration/test_up_processes.py",
    "tests/integration/test_inbox_machine.py",
    "tests/integration/test_up_spool.py",
)
"""From half a minute on, the longest first."""

_PLACES: Final = {name: number for number, name in enumerate(LONG)}


def place(nodeid: str) -> int:
    """Of a test: where its file comes; all that are not LONG in one place, as they were."""
    return _PLACES.get(nodeid.partition("::")[0], len(LONG))
