"""Figures as people write them into manifests: rounded up."""

from math import ceil

MIB = 1 << 20


def up_to(value: float, step: int) -> int:
    """The next multiple of `step`, at least one."""
    return max(1, ceil(value / step)) * step


def cores(value: float) -> float:
    """In steps of 50 thousandths."""
    return up_to(value * 1000, 50) / 1000


def memory(value: float) -> int:
    """Bytes in steps of 64 MiB."""
    return up_to(value, 64 * MIB)


def disk(value: float) -> int:
    """Bytes in steps of 10 GiB."""
    return up_to(value, 10 * 1024 * MIB)
