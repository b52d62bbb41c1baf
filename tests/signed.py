"""Images with a C2PA manifest, signed on the spot by a signer whose authority the test makes."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Authority:
    """Certificates in PEM: of the authority, and of a signer below it with its key."""

    root: str
    chain: bytes
    key: bytes


def authority(ocsp: str = "") -> Authority:
    """An authority and a signer, "Test camera" of "Test Signer"; `ocsp` is where its revocation is to be asked for."""
    return _authority(ocsp)


@cache
def _authority(ocsp: str) -> Authority:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Test authority", root_key, "Test authority", root_key, is_authority=True)
    leaf = _certificate("Test camera", key, "Test authority", root_key, is_authority=False, ocsp=ocsp)
    return Authority(
        root=_pem(root).decode(),
        chain=_pem(leaf) + _pem(root),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def signed(
    image: bytes, kind: str = "image/jpeg", source_type: str = "trainedAlgorithmicMedia", ocsp: str = ""
) -> bytes:
    """The image file with a manifest that says how it was made."""
    return _sign(_builder(source_type), image, kind, authority(ocsp))


def pointing(image: bytes, url: str, kind: str = "image/jpeg") -> bytes:
    """The image file, signed, with its manifest kept at `url` only."""
    builder = _builder("trainedAlgorithmicMedia")
    builder.set_no_embed()
    builder.set_remote_url(url)
    return _sign(builder, image, kind, authority())


def _builder(source_type: str) -> c2pa.Builder:
    action = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPES + source_type,
        "softwareAgent": {"name": "Test <b>Diffusion</b>"},
    }
    assertion = {"label": "c2pa.actions", "data": {"actions": [action]}}
    manifest = {"claim_generator_info": [{"name": "test program", "version": "1"}], "assertions": [assertion]}
    return c2pa.Builder(json.dumps(manifest))


def _sign(builder: c2pa.Builder, image: bytes, kind: str, maker: Authority) -> bytes:
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", maker.chain, maker.key, None))
    out = io.BytesIO()
    builder.sign(signer, kind, io.BytesIO(image), out)
    return out.getvalue()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
    ocsp: str = "",
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
    if ocsp:
        place = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.Name:
    parts = {NameOID.COUNTRY_NAME: "DE", NameOID.ORGANIZATION_NAME: "Test Signer", NameOID.COMMON_NAME: name}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
