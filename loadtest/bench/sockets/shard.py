"""`python -m loadtest.bench.sockets.shard FD`: one ConnectionShard alone, told what to do by the
bench. The actor's plain class under uvloop, as Ray runs it; the calls come over a socket pair."""

import gc
import os
import resource
import sys
from pathlib import Path

import uvloop

from actors.shard import ConnectionShard
from loadtest.bench.sockets.link import Verbs, open_many_files, serve
from tocsin import settings as settings_module


async def usage(collect: bool) -> dict[str, float]:
    """CPU seconds (all threads) and bytes of memory, of this process; `collect` garbage first."""
    if collect:
        gc.collect()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "user": used.ru_utime, "system": used.ru_stime, "cpu": used.ru_utime + used.ru_stime,
        "rss": _resident(),
    }  # fmt: skip


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def main(descriptor: int) -> None:
    """Serve until the bench hangs up; the process ends without more ado."""
    shard = ConnectionShard(settings_module.load(), "shard-0")
    verbs: Verbs = {
        "start": shard.start,
        "publish": shard.publish,
        "deliver": shard.deliver,
        "drain": shard.drain,
        "stop": shard.stop,
        "usage": usage,
    }
    await serve(descriptor, verbs)
    os._exit(0)


if __name__ == "__main__":
    open_many_files()
    uvloop.run(main(int(sys.argv[1])))
