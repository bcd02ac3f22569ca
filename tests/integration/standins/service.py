"""A service that notes when it starts and ends: `service.py DATA_DIR NAME [PORT_FILE]`.

Says that it is ready the way every Tocsin process does; on SIGTERM finishes and exits 0. With
--child it has a child of its own that has left the process group, as Ray's daemons do.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def note(data_dir: Path, what: str) -> None:
    with (data_dir / "notes").open("a") as file:
        file.write(what + "\n")


def main(data_dir: Path, name: str, options: list[str]) -> None:
    note(data_dir, f"start {name}")
    if "--child" in options:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        subprocess.Popen(command, start_new_session=True)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    if "--slow" in options:
        time.sleep(0.3)
    note(data_dir, f"ready {name}")
    text = json.dumps({"pid": os.getpid(), "epoch": os.environ.get("TOCSIN_LOG_EPOCH")})
    (data_dir / "run" / f"{name}.ready").write_text(text)
    while not stopped:
        time.sleep(0.02)
    note(data_dir, f"end {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
