"""A private CA and a server certificate for loopback."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from loadtest.sandbox.keeping import keep, read

_CA_DAYS: Final = 3650
_SERVER_DAYS: Final = 397
_RENEW_BEFORE: Final = timedelta(days=30)


def ensure_certificates(folder: Path, now: datetime | None = None) -> tuple[Path, Path, Path]:
    """CA certificate, server certificate and server key, made or renewed where needed.

    A CA that still holds is kept, so that whoever trusts it goes on trusting. Raises `ConfigError`
    naming a file that cannot be read.
    """
    now = now or datetime.now(UTC)
    ca_path, ca_key_path = folder / "ca.pem", folder / "ca-key.pem"
    path, key_path = folder / "server.pem", folder / "server-key.pem"
    renewed = not _holds(ca_path, now)
    if renewed:
        _make_ca(ca_path, ca_key_path, now)
    if renewed or not _holds(path, now):
        ca, ca_key = read(ca_path, x509.load_pem_x509_certificate), read(ca_key_path, ec_key)
        _make_server(path, key_path, ca, ca_key, now)
    read(key_path, ec_key)
    return ca_path, path, key_path


def ec_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 private key. Raises `ValueError`."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic-curve key")
    return key


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8, unencrypted, as Apple's .p8 is."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _holds(path: Path, now: datetime) -> bool:
    """Whether a certificate is there and not about to end."""
    if not path.exists():
        return False
    return read(path, x509.load_pem_x509_certificate).not_valid_after_utc > now + _RENEW_BEFORE


def _make_ca(path: Path, key_path: Path, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tocsin sandbox CA")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        _dated(now, _CA_DAYS)
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )  # fmt: skip
    # the key first: a certificate on disk means that its key is there too
    keep(key_path, pem_of(key))
    keep(path, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _make_server(
    path: Path, key_path: Path, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> None:  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1())
    loopback = [ipaddress.ip_address(text) for text in ("127.0.0.1", "::1")]
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), *(x509.IPAddress(address) for address in loopback)]
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server_auth = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        _dated(now, _SERVER_DAYS)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(ca.subject).public_key(key.public_key())
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(server_auth, critical=False)
        .add_extension(authority, critical=False)
    )  # fmt: skip
    path.unlink(missing_ok=True)  # so that a crash here leaves no certificate beside another's key
    keep(key_path, pem_of(key))
    keep(path, builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _dated(now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )
