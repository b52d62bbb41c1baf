"""Evidence of origin for the service: the trust anchors of its settings, and what a file says, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.errors import ConfigError
from backend.core.provenance.examine import examine

_MOST_BYTES = 4 * 2**20


def read_anchors(path: Path | None) -> str:
    """The certificates of that PEM file; "" without a file: then no signer is trusted. Raises ConfigError."""
    if path is None:
        return ""
    hint = "DEEPFAKE_C2PA_ANCHORS names a PEM file with one certificate or more."
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("ascii")
    except (OSError, ValueError) as error:
        raise ConfigError(f"The trust anchors in {path} cannot be read: {error}.", hint) from error
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise ConfigError(f"{path} holds no certificates: {error}.", hint) from error
    return text


def describe_origin(data: bytes, anchors: str) -> dict[str, Any] | None:
    """`{"evidence": [...]}` of one file, or None where it says nothing of its origin; see core.provenance."""
    found = examine(data, anchors)
    return {"evidence": [one.to_json() for one in found]} if found else None
