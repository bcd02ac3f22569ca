"""`python -m loadtest.load`: what it refuses before anything starts, and what it keeps apart."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtest.load import target
from loadtest.load.__main__ import app
from loadtest.load.shapes import SHAPES
from tocsin.errors import Invalid

LOAD = Path(__file__).parents[4] / "loadtest"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def ran(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    return result.exit_code, ESCAPES.sub("", result.output)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shape", "dya"], "shape: there is no 'dya'; there are day, peak"),
        (["--scale", "0"], "scale: 0 makes no sense"),
        (["--seconds", "1"], "seconds: 1 makes no sense"),
        (["--scale", "1"], "seconds: 16,000,000 notifications in 420 s"),
        (["--kill", "writer"], "kill: 'writer' is not NAME@SECONDS"),
        (["--kill", "writer@5", "--target", "http://127.0.0.1:1"], "kill: only processes of a"),
        (["--fault", "fax:503@5+5"], "fault: no provider 'fax'"),
        (["--target", "http://tocsin.example"], "target: tocsin.example is not this machine"),
        (["--target", "localhost:8080"], "target: 'localhost:8080' is no address"),
        (["--workers-elsewhere"], "workers-elsewhere: opens port 5557"),
        (["--gates", "/nowhere/gates.toml"], "gates.toml"),
    ],
)
def test_what_makes_no_sense_is_refused_with_one_line_that_names_it(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    code, output = ran(*arguments, "--out", str(out))
    assert code == 2
    assert said in output
    assert not out.exists()


def test_a_directory_that_has_a_run_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    code, output = ran("--out", str(tmp_path))
    assert code == 2
    assert "has a run already" in output


def test_the_help_tells_every_shape() -> None:
    code, output = ran("--help")
    assert code == 0
    for shape in SHAPES:
        assert shape in output


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "https://[::1]:8443"])
def test_this_machine_needs_no_leave(url: str) -> None:
    target.check(url, allow_remote=False)


def test_another_machine_needs_leave() -> None:
    target.check("https://tocsin.example", allow_remote=True)
    with pytest.raises(Invalid, match="--allow-remote"):
        target.check("https://10.0.0.7", allow_remote=False)


def test_only_the_locust_side_imports_what_patches_everything() -> None:
    """gevent replaces sockets and threads at import: asyncio must not meet it."""
    patching = re.compile(r"^\s*(?:import|from) (?:locust|gevent|loadtest\.load\.swarm)\b", re.M)
    side = {LOAD / "load" / "locustfile.py", *(LOAD / "load" / "swarm").glob("*.py")}
    for path in LOAD.rglob("*.py"):
        assert path in side or not patching.search(path.read_text()), path
