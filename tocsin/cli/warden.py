"""supervisord, on a leash: `python -m tocsin.cli.warden PARENT_PID CONFIG`.

When `tocsin up` ends in whatever way, the kernel sends SIGTERM here and supervisord stops every
process in its configured order. Orphans of any depth come to this process, which ends them last,
so that nothing stays behind.
"""

import os
import resource
import sys

from supervisor import supervisord

from tocsin.cli.leash import become_reaper, die_with, end_family

_FILES = 65_536
"""Open files wanted: a connection shard holds a socket per device."""


def main(parent: int, config: str) -> None:
    """Serve until told to stop."""
    die_with(parent)
    become_reaper()
    _raise_limit()
    os.environ["SUPERVISORD_PID"] = str(os.getpid())
    try:
        supervisord.main(["--nodaemon", "--silent", "--configuration", config])
    finally:
        end_family()


def _raise_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    best = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft < best:
        resource.setrlimit(resource.RLIMIT_NOFILE, (best, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
