"""The bench of the sockets, small: everything arrives, everybody comes back; nothing is timed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def test_a_small_run_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "sockets.json"
    argv = [
        sys.executable, "-m", "loadtest.bench.sockets", "--connections", "50", "--few", "0",
        "--frames", "200", "--storm", "50", "--seconds", "1", "--out", str(out),
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["idle"]["connections"] == 50
    (load,) = found["loads"]
    for kind, frames in (("pushed", 200), ("delivered", 200), ("steady", 400)):
        assert (load[kind]["frames"], load[kind]["missing"]) == (frames, 0), kind
    storm = found["storm"]
    assert (storm["back"], storm["gaps"], storm["repeats"], storm["behind"]) == (50, 0, 0, 0)
    assert storm["closed"]["1006"] >= 50
    assert "Sockets of one shard" in done.stdout
