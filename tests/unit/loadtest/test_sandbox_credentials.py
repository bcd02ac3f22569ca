"""Credentials are made once, kept, and published under names the settings know."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadtest.sandbox.certificates import ensure_certificates
from loadtest.sandbox.credentials import Ports, ensure_credentials, environment, last_ports, publish
from tocsin.errors import ConfigError
from tocsin.settings import names


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_second_start_finds_what_the_first_made(tmp_path: Path) -> None:
    credentials = ensure_credentials(tmp_path)
    before = _files(credentials.folder)
    again = ensure_credentials(tmp_path)
    assert _files(again.folder) == before
    assert again.accounts == credentials.accounts
    assert {path.stat().st_mode & 0o777 for path in again.folder.iterdir()} == {0o600}


def test_every_published_name_is_a_setting_and_ports_are_remembered(tmp_path: Path) -> None:
    credentials, ports = ensure_credentials(tmp_path), Ports(1, 2, 3)
    env = publish(credentials, ports)
    assert set(env) <= names()
    assert env == environment(credentials, ports)
    assert last_ports(credentials.folder) == ports
    assert ensure_credentials(tmp_path).client_email == credentials.client_email


@pytest.mark.parametrize(
    "name",
    [
        "ca.pem", "server.pem", "server-key.pem", "apns-key.p8", "accounts.json",
        "fcm-service-account.json",
    ],
)  # fmt: skip
def test_a_broken_file_stops_the_start_by_name(tmp_path: Path, name: str) -> None:
    folder = ensure_credentials(tmp_path).folder
    (folder / name).write_bytes(b"{}")
    with pytest.raises(ConfigError, match=name):
        ensure_credentials(tmp_path)


def test_a_server_certificate_about_to_end_is_renewed_by_the_same_ca(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca, cert, _ = ensure_certificates(tmp_path, now - timedelta(days=380))
    before = ca.read_bytes(), cert.read_bytes()
    ensure_certificates(tmp_path, now)
    assert ca.read_bytes() == before[0]
    assert cert.read_bytes() != before[1]
