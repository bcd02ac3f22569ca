"""The supervisor of the actors as it is, but that a minute without need is two seconds."""

from actors import scale, supervise
from tocsin.process import run

if __name__ == "__main__":
    scale.IDLE_SECONDS = 2.0  # type: ignore[misc]
    scale.SHORTEST_DRAIN = 0.5  # type: ignore[misc]
    run("actors", supervise.main)
