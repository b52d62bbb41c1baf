"""Files in the folder of backbones that cannot be made again: each is named by the digest of its bytes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from backend.core.errors import BackboneUnavailable, IntegrityError

_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(name: str) -> bool:
    """Whether it can name such a file."""
    return _DIGEST.fullmatch(name) is not None


def digest_of_file(data: bytes) -> str:
    """The name of the file whose bytes these are: hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def read_stored(path: Path, digest: str, of: str, *, if_missing: str, if_damaged: str) -> bytes:
    """The bytes of the file at `path`; `of` says what it holds, the others what a person can do.

    Raises BackboneUnavailable where it is not there, IntegrityError where its bytes have another digest.
    """
    if not path.is_file():
        raise BackboneUnavailable(f"The {of} {digest[:16]}… is not here.", if_missing)
    data = path.read_bytes()
    if digest_of_file(data) != digest:
        raise IntegrityError(f"The {of} {digest[:16]}… is damaged.", if_damaged)
    return data
