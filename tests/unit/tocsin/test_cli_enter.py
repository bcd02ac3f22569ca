"""What processes in containers are given."""

import json
import stat
from pathlib import Path

import pytest

from tocsin.cli import enter
from tocsin.errors import ConfigError


def test_secrets_are_made_once_and_kept_for_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    first = enter.environment(folder, {})
    assert enter.environment(folder, {})["TOCSIN_JWT_SECRET"] == first["TOCSIN_JWT_SECRET"]
    assert len(first["TOCSIN_OTP_SECRET"]) >= 32
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    assert Path(first["RAY_AUTH_TOKEN_PATH"]).read_text()


def test_what_is_set_wins(tmp_path: Path) -> None:
    given = {"TOCSIN_JWT_SECRET": "mine" * 8, "TOCSIN_TWILIO_URL": "https://api.twilio.com"}
    (tmp_path / "sandbox").mkdir()
    sandbox = {"TOCSIN_TWILIO_URL": "https://127.0.0.1:8443", "TOCSIN_SMTP_URL": "smtp://x:25"}
    (tmp_path / "sandbox" / "env.json").write_text(json.dumps(sandbox))
    made = enter.environment(tmp_path, given)
    assert made["TOCSIN_JWT_SECRET"] == "mine" * 8
    assert made["TOCSIN_TWILIO_URL"] == "https://api.twilio.com"
    assert made["TOCSIN_SMTP_URL"] == "smtp://x:25"


def test_a_damaged_sandbox_is_named(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "env.json").write_text("{")
    with pytest.raises(ConfigError, match=r"env\.json cannot be read"):
        enter.environment(tmp_path, {})


def test_a_module_becomes_its_command_and_ray_a_node(tmp_path: Path) -> None:
    assert enter.argv(tmp_path, "api.serve", ["--x"])[-3:] == ["-m", "api.serve", "--x"]
    ray = enter.argv(tmp_path, "ray", [])
    assert ray[ray.index("--port") + 1] == "6380"
    assert "--head" in ray


def test_without_a_module_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        enter.main(["/kept"])
    assert "usage" in capsys.readouterr().err
