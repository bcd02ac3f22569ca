"""The console without a browser: its pure parts under Node, and what it knows of the rest."""

import os
import re
import subprocess
from pathlib import Path

from tests.unit.api.test_inbox_element import ROOT, needs_node
from tocsin.records import State

WEB = ROOT / "api" / "web"


@needs_node
def test_its_pure_parts_pass_their_own_tests() -> None:
    argv = ["node", "--import", "./served.mjs", "--test", "console.test.mjs"]
    where = Path(__file__).parent / "web"
    done = subprocess.run(
        argv, cwd=where, capture_output=True, text=True, timeout=150,
        env=os.environ | {"LC_ALL": "en_US.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_state_of_a_delivery_has_a_shape() -> None:
    shapes = (WEB / "console-icons.js").read_text().split("OF_STATE")[1]
    for state in State:
        assert re.search(rf"\b{state}:", shapes), state


def test_every_step_the_router_takes_is_explained() -> None:
    source = "".join(
        (ROOT / "streams" / f"{name}.py").read_text() for name in ("decide", "capping")
    )
    steps = set(re.findall(r"[;\"]([a-z_]+)=", source)) - {"step"}
    assert {"rules", "opt_out", "quiet", "strategy", "cap"} <= steps
    words = (WEB / "console-words.js").read_text()
    explained = words.split("const STEPS")[1].split("function cap")[0]
    assert {step for step in steps if not re.search(rf"\b{step}:", explained)} == set()
