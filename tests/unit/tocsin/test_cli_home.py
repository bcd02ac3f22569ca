"""The data directory: one holder at a time, private files, clear refusals."""

import os
from pathlib import Path

import pytest

from tocsin.cli.home import Home, read_state, write_private
from tocsin.cli.vault import secrets_of
from tocsin.errors import ConfigError


def test_a_second_holder_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path)
    lock = home.open()
    write_private(home.state, {"pid": os.getpid()})
    with pytest.raises(ConfigError, match=rf"in use by `tocsin up` \(pid {os.getpid()}\).*--data"):
        Home(tmp_path).open()
    os.close(lock)
    os.close(Home(tmp_path).open())


def test_a_file_in_its_place_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigError, match="cannot be the data directory"):
        Home(tmp_path / "data").open()


def test_opening_forgets_the_last_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.close(home.open())
    (home.run / "api.ready").write_text("{}")
    (home.log / "api.log").write_text("then")
    write_private(home.state, {"pid": os.getpid()})
    os.close(home.open())
    assert read_state(home) is None
    assert not (home.run / "api.ready").exists()
    assert not (home.log / "api.log").exists()
    assert (home.log / "previous" / "api.log").read_text() == "then"


def test_the_state_of_a_dead_up_is_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.close(home.open())
    write_private(home.state, {"pid": 2**22 + 1})
    assert read_state(home) is None


def test_a_socket_path_too_long_for_the_kernel_goes_elsewhere(tmp_path: Path) -> None:
    assert Home(Path("/d")).socket() == Path("/d/run/supervisor.sock")
    elsewhere = Home(tmp_path / ("x" * 120)).socket()
    assert len(str(elsewhere)) < 100
    elsewhere.parent.rmdir()


def test_secrets_are_made_once_private_and_the_environment_wins(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.close(home.open())
    first = secrets_of(home, {})
    assert secrets_of(home, {}) == first
    assert len(first["TOCSIN_JWT_SECRET"]) >= 32
    assert home.secrets.stat().st_mode & 0o777 == 0o600
    assert secrets_of(home, {"TOCSIN_JWT_SECRET": "mine"})["TOCSIN_JWT_SECRET"] == "mine"
    assert secrets_of(home, {}) == first


def test_damaged_secrets_are_not_replaced_behind_ones_back(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.close(home.open())
    home.secrets.write_text("{")
    with pytest.raises(ConfigError, match=r"secrets\.json cannot be read"):
        secrets_of(home, {})
    assert home.secrets.read_text() == "{"
