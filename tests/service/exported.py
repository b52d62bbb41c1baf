"""Exported models for tests of their import, made of the one that the project ships."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.running import ROOT

SHIPPED = ROOT / "models" / "cifake-logreg"


def archive(
    id: str = "copy-1", *, head: bytes | None = None, more: dict[str, bytes] | None = None, **card: Any
) -> bytes:
    """The zip of a copy of the shipped model under another id, with other values in its card."""
    described = json.loads((SHIPPED / "card.json").read_text()) | {"id": id} | card
    described = {name: value for name, value in described.items() if value is not None}
    members = {
        f"{id}/card.json": json.dumps(described).encode(),
        f"{id}/head.safetensors": (SHIPPED / "head.safetensors").read_bytes() if head is None else head,
        **(more or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
