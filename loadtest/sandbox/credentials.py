"""What a client needs to talk to this sandbox, made once per data directory and then kept."""

import json
import secrets
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from loadtest.sandbox.certificates import ec_key, ensure_certificates, pem_of
from loadtest.sandbox.keeping import keep, read
from loadtest.sandbox.twilio import GOOD_SENDER
from tocsin.errors import ConfigError

PROJECT: Final = "tocsin-sandbox"
TOPIC: Final = "example.tocsin.shop"


class Ports(msgspec.Struct, frozen=True):
    """Where the sandbox listens, on 127.0.0.1."""

    tls: int = 0
    http: int = 0
    smtp: int = 0


class Accounts(msgspec.Struct, frozen=True):
    """Names and secrets that are not key files."""

    apns_key_id: str
    apns_team_id: str
    twilio_sid: str
    twilio_token: str
    smtp_user: str
    smtp_password: str
    oauth_secret: str


class Credentials(NamedTuple):
    """Everything the sandbox checks against, and the paths of what its clients read."""

    folder: Path
    ca: Path
    cert: Path
    key: Path
    apns_key_file: Path
    apns_key: ec.EllipticCurvePrivateKey
    fcm_file: Path
    fcm_key: rsa.RSAPrivateKey
    client_email: str
    accounts: Accounts


def ensure_credentials(data_dir: Path) -> Credentials:
    """Read `<data_dir>/sandbox/`, making what is missing. Raises `ConfigError`."""
    folder = sandbox_folder(data_dir)
    ca, cert, key = ensure_certificates(folder)
    apns_file = folder / "apns-key.p8"
    if not apns_file.exists():
        keep(apns_file, pem_of(ec.generate_private_key(ec.SECP256R1())))
    accounts_file, fcm_file = folder / "accounts.json", folder / "fcm-service-account.json"
    if not accounts_file.exists():
        keep(accounts_file, msgspec.json.encode(_new_accounts()))
    if not fcm_file.exists():
        keep(fcm_file, json.dumps(_new_service_account(), indent=2).encode())
    fcm_key, email = read(fcm_file, _service_account)
    return Credentials(
        folder, ca, cert, key, apns_file, read(apns_file, ec_key), fcm_file, fcm_key, email,
        read(accounts_file, msgspec.json.Decoder(Accounts).decode),
    )  # fmt: skip


def sandbox_folder(data_dir: Path) -> Path:
    """Where the sandbox keeps its files, made if missing. Raises `ConfigError`."""
    folder = data_dir.resolve() / "sandbox"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error.strerror}") from None
    return folder


def _new_accounts() -> Accounts:
    return Accounts(
        apns_key_id=secrets.token_hex(5).upper(),
        apns_team_id=secrets.token_hex(5).upper(),
        twilio_sid="AC" + secrets.token_hex(16),
        twilio_token=secrets.token_hex(16),
        smtp_user="tocsin",
        smtp_password=secrets.token_urlsafe(18),
        oauth_secret=secrets.token_hex(32),
    )


def _new_service_account() -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": f"tocsin@{PROJECT}.iam.gserviceaccount.com",
        "client_id": str(secrets.randbelow(10**21)),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "",
    }


def _service_account(content: bytes) -> tuple[rsa.RSAPrivateKey, str]:
    try:
        account = json.loads(content)
        key = serialization.load_pem_private_key(account["private_key"].encode(), None)
        email = str(account["client_email"])
    except KeyError as error:
        raise ValueError(f"no {error}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key, email


def last_ports(folder: Path) -> Ports:
    """The ports of the last start, zeros when there was none."""
    path = folder / "ports.json"
    return read(path, msgspec.json.Decoder(Ports).decode) if path.exists() else Ports()


def token_uris(ports: Ports) -> list[str]:
    """Where tokens are granted. The plain one is what the service account names.

    google-auth's own transport then works unmodified, without being told of a private CA.
    """
    return [f"http://127.0.0.1:{ports.http}/token", f"https://127.0.0.1:{ports.tls}/token"]


def publish(credentials: Credentials, ports: Ports) -> dict[str, str]:
    """Write where the sandbox listens now: the service account's token_uri, and env.json."""
    account = json.loads(credentials.fcm_file.read_bytes())
    account["token_uri"] = token_uris(ports)[0]
    keep(credentials.fcm_file, json.dumps(account, indent=2).encode())
    keep(credentials.folder / "ports.json", msgspec.json.encode(ports))
    env = environment(credentials, ports)
    keep(credentials.folder / "env.json", json.dumps(env, indent=2).encode())
    return env


def environment(credentials: Credentials, ports: Ports) -> dict[str, str]:
    """The TOCSIN_ settings with which real provider code talks to this sandbox."""
    accounts, tls = credentials.accounts, f"https://127.0.0.1:{ports.tls}"
    ca = str(credentials.ca)
    return {
        "TOCSIN_APNS_URL": tls,
        "TOCSIN_APNS_KEY_FILE": str(credentials.apns_key_file),
        "TOCSIN_APNS_KEY_ID": accounts.apns_key_id,
        "TOCSIN_APNS_TEAM_ID": accounts.apns_team_id,
        "TOCSIN_APNS_TOPIC": TOPIC,
        "TOCSIN_APNS_CA_FILE": ca,
        "TOCSIN_FCM_URL": tls,
        "TOCSIN_FCM_CREDENTIALS_FILE": str(credentials.fcm_file),
        "TOCSIN_FCM_CA_FILE": ca,
        "TOCSIN_TWILIO_URL": tls,
        "TOCSIN_TWILIO_ACCOUNT_SID": accounts.twilio_sid,
        "TOCSIN_TWILIO_AUTH_TOKEN": accounts.twilio_token,
        "TOCSIN_TWILIO_SENDER": GOOD_SENDER,
        "TOCSIN_TWILIO_CA_FILE": ca,
        "TOCSIN_SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "TOCSIN_SANDBOX_URL": f"http://127.0.0.1:{ports.http}",
    }
