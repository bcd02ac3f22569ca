"""The embedded Ray node's command and environment."""

import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tocsin.engines import ray


def _option(argv: list[str], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_it_listens_on_loopback_with_a_token_and_reports_to_nobody(tmp_path: Path) -> None:
    argv, env = ray.command(6399, tmp_path), ray.environment(tmp_path)
    assert _option(argv, "--node-ip-address") == "127.0.0.1"
    assert _option(argv, "--port") == "6399"
    assert "--block" in argv
    assert env["RAY_AUTH_MODE"] == "token"
    assert env["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_token_is_kept_and_for_its_owner_only(tmp_path: Path) -> None:
    path = Path(ray.environment(tmp_path)["RAY_AUTH_TOKEN_PATH"])
    before = path.read_text()
    assert len(before) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ray.environment(tmp_path)
    assert path.read_text() == before


@given(st.text("abc/", max_size=300))
def test_sockets_fit_however_long_the_data_directory_is(name: str) -> None:
    directory = _option(ray.command(6399, Path("/") / name), "--temp-dir")
    socket = f"{directory}/session_2026-11-22_01-28-18_966989_4194304/sockets/plasma_store"
    assert len(socket.encode()) <= 107


def test_sessions_nobody_serves_are_removed(tmp_path: Path) -> None:
    sessions = Path(_option(ray.command(6399, tmp_path), "--temp-dir"))
    (sessions / "session_2026-01-01_old" / "sockets").mkdir(parents=True)
    (sessions / "kept").mkdir()
    ray.environment(tmp_path)
    assert [path.name for path in sessions.iterdir()] == ["kept"]
    (sessions / "kept").rmdir()
    sessions.rmdir()
