"""What a file's C2PA manifests say, whether they are intact, and whether the signer is known. Nothing is fetched."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from backend.core.provenance.evidence import Evidence, Statement, Strength, clean, unreadable
from backend.core.provenance.tools import program_says, source_type_says

SECONDS = 20.0
"""Most time for one file, the start of its process included."""

MOST_BYTES = 128 * 2**20
"""Larger files are not looked into: their process would exceed its memory."""

AT_ONCE = threading.BoundedSemaphore(2)

_CHILD = Path(__file__).with_name("c2pa_child.py")
_MARKS = (b"c2pa", b"C2PA")
_SOURCE = "C2PA manifest"

FAILURES = {
    "assertion.dataHash.mismatch": "the picture was changed after it was signed",
    "assertion.bmffHash.mismatch": "the picture was changed after it was signed",
    "assertion.boxesHash.mismatch": "the picture was changed after it was signed",
    "assertion.hashedURI.mismatch": "a statement was changed after it was signed",
    "claimSignature.mismatch": "the signature does not fit what is signed",
    "claimSignature.missing": "there is no signature",
    "signingCredential.expired": "the signer's certificate had expired",
    "signingCredential.invalid": "the signer's certificate is not of the kind that signs pictures",
}
"""Codes of the C2PA specification, 15.2.2, in words."""

_EDITS = {"c2pa.edited", "c2pa.color_adjustments", "c2pa.drawing", "c2pa.filtered", "c2pa.cropped", "c2pa.resized"}
_ORDER: tuple[Statement, ...] = ("made_by_ai", "edited_with_ai", "captured", "edited", "made_by_software")


def read_c2pa(data: bytes, anchors: str = "") -> list[Evidence]:
    """Evidence of the manifests in `data`: one entry, or none where there is no manifest.

    anchors: PEM certificates of authorities, in ASCII; without any, no signer is trusted. A broken manifest gives an
    entry, and so does one that is not read within SECONDS and the bounds of c2pa_child.
    """
    if not any(mark in data for mark in _MARKS):
        return []
    try:
        found = _ask(data, anchors)
    except _UnreadError as error:
        return [unreadable("c2pa", _SOURCE, error)]
    return [_judge(found)] if found else []


class _UnreadError(Exception):
    """Why the manifest of a file was not read, in a sentence."""


def _ask(data: bytes, anchors: str) -> dict[str, Any]:
    """What c2pa_child says of the file. Raises _UnreadError."""
    if len(data) > MOST_BYTES:
        raise _UnreadError("The file is too large to look for its manifest.")
    with AT_ONCE, tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 (our own program)
                [sys.executable, "-I", str(_CHILD)],
                input=len(anchors).to_bytes(8, "big") + anchors.encode("ascii") + data,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env={},
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _UnreadError("The manifest takes too long to read.") from None
        except OSError:  # no memory or no process left for it
            raise _UnreadError("The manifest cannot be read now: its reader did not start.") from None
        output.seek(0)
        text = output.read()
    if done.returncode != 0:
        raise _UnreadError("The manifest cannot be read: its reader was stopped.")
    found: dict[str, Any] = json.loads(text)
    if "error" in found:
        raise _UnreadError(f"The manifest cannot be read: {found['error']}")
    return found


def _judge(found: dict[str, Any]) -> Evidence:
    """One entry for all manifests of a file; the last one signed covers the others."""
    intact, trusted = found["state"] in ("Valid", "Trusted"), found["state"] == "Trusted"
    manifests = found["manifests"]
    first = manifests[0] if manifests else {}
    signer = ", ".join(dict.fromkeys(name for name in (first.get("signer"), first.get("issuer")) if name)) or "unknown"
    said = [(_says(action), action) for manifest in manifests for action in manifest["actions"]]
    statement = next((wanted for wanted in _ORDER if any(one == wanted for one, _ in said)), None)
    if statement is None:
        statement = program_says(first.get("program") or "")
    by = next((action["agent"] for one, action in said if one == statement and action["agent"]), first.get("program"))
    claim = f"{statement.replace('_', ' ')}, by {by or 'an unnamed program'}"
    if not intact:
        why = dict.fromkeys(FAILURES.get(code, code) for code in found["failures"] if "untrusted" not in code)
        detail = f"Not intact: {'; '.join(why) or 'the manifest is invalid'}. It said: {claim}; signer {signer}"
        return Evidence("c2pa", _SOURCE, "claims", clean(detail), "none", intact=False, trusted=False)
    known = "on the trust list" if trusted else "not on the trust list"
    strength: Strength = "trusted" if trusted else "signed"
    detail = f"Intact, signed by {signer} ({known}): {claim}"
    return Evidence("c2pa", _SOURCE, statement, clean(detail), strength, intact=True, trusted=trusted)


def _says(action: dict[str, str]) -> Statement:
    if action["source_type"]:
        return source_type_says(action["source_type"])
    if program_says(action["agent"]) == "made_by_ai":
        return "made_by_ai"
    return "edited" if action["action"] in _EDITS else "claims"
