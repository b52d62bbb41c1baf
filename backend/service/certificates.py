"""Certificates for a Dask cluster beyond one machine: an authority of its own, and one certificate that it signed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from backend.core.errors import Conflict

if TYPE_CHECKING:
    from cryptography.x509 import KeyUsage

AUTHORITY, CERTIFICATE, KEY = "ca.pem", "cert.pem", "key.pem"
FILES = (AUTHORITY, CERTIFICATE, KEY)
VALID_DAYS = 3650
"""Ten years: whoever replaces them has to restart every process of the cluster."""

_CLOCK_SKEW = timedelta(hours=1)


def have_certificates(folder: Path) -> bool:
    """Whether all three files are there."""
    return all((folder / name).is_file() for name in FILES)


def make_certificates(folder: Path) -> list[Path]:
    """The three PEM files that were written: authority, certificate, private key; mode 0600, elliptic curve P-256.

    Every process of the cluster shows this certificate and accepts only those of the same authority. The authority's
    own key is thrown away: nobody can sign another one. Raises Conflict, and changes nothing, if one of the files
    exists.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    for name in FILES:
        if (folder / name).exists():
            raise Conflict(f"{folder / name} exists.", "Name an empty folder, or remove the old certificates first.")
    now = datetime.now(UTC)

    def describe(subject: str, issuer: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + timedelta(days=VALID_DAYS))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name, name = "Deepfake Classification cluster authority", "deepfake-cluster"
    authority = (
        describe(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        describe(name, authority_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    contents = (authority.public_bytes(pem), certificate.public_bytes(pem), private)
    return [_write_new(folder / file, content) for file, content in zip(FILES, contents, strict=True)]


def _key_usage(*, signs_certificates: bool) -> KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_new(path: Path, content: bytes) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path
