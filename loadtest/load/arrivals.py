"""When each call is meant to begin: open, so that a slow system is not asked less.

Stratified: the n-th of N calls lies at a random place in the n-th of N equal shares of the curve.
So there are exactly as many as promised, any worker's part can be made alone, and the parts of all
workers together are the whole.
"""

from collections.abc import Iterator
from heapq import merge
from random import Random
from typing import NamedTuple

from loadtest.load.shapes import Flow, Plan


class Arrival(NamedTuple):
    """Call `number` of a stream, `at` seconds after the start."""

    at: float
    stream: str
    number: int


def of_flow(
    flow: Flow, seconds: float, seed: int, worker: int = 0, workers: int = 1
) -> Iterator[Arrival]:
    """Worker `worker` (from 0) of `workers`: every `workers`-th call, in order of time."""
    random = Random(f"{seed} {flow.stream} {worker}/{workers}").random
    for number in range(worker, flow.calls, workers):
        share = (number + random()) / flow.calls
        yield Arrival(seconds * flow.curve.when(share), flow.stream, number)


def of_plan(plan: Plan, seed: int, worker: int = 0, workers: int = 1) -> Iterator[Arrival]:
    """All streams of a worker together, in order of time. Made as they are asked for."""
    return merge(*(of_flow(flow, plan.seconds, seed, worker, workers) for flow in plan.flows))
