"""Reads the C2PA manifests of one image on standard input and writes what they say as JSON. Run as a program.

A process of its own, since native code reads bytes that anybody may have made: bounded in memory, time, files and
output, and without the network. Standard input: 8 bytes with the length of the trust anchors (big-endian), the anchors
(PEM), the image.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

MEMORY, SECONDS, OUTPUT = 1 << 30, 10, 1 << 20
"""Bytes of address space, seconds of processor time, bytes of what may be written."""

MOST_MANIFESTS, MOST_ACTIONS, MOST_LETTERS = 20, 50, 500


def read(data: bytes, anchors: str) -> dict[str, Any]:
    """`{state, failures, manifests}`; `{error}` where the manifest store cannot be read; `{}` without one."""
    import c2pa

    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
    }
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    try:
        with c2pa.Reader(None, io.BytesIO(data), context=context) as reader:
            store = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return {}
    except c2pa.C2paError as error:
        kept_elsewhere = str(error).startswith("Remote")  # and not fetched: XMP tells where it is
        return {} if kept_elsewhere else {"error": str(error)[:MOST_LETTERS]}
    active = store.get("active_manifest")
    names = [active, *(name for name in store.get("manifests", {}) if name != active)]
    return {
        "state": store.get("validation_state"),
        "failures": [str(item.get("code"))[:100] for item in store.get("validation_status", [])][:MOST_ACTIONS],
        "manifests": [_facts(store["manifests"][name]) for name in names[:MOST_MANIFESTS]],
    }


def _facts(manifest: dict[str, Any]) -> dict[str, Any]:
    """The signer, the program, and the actions of one manifest."""
    signature = manifest.get("signature_info") or {}
    actions = [
        {
            "action": _short(action.get("action")),
            "source_type": _short(action.get("digitalSourceType")),
            "agent": _short(_name(action.get("softwareAgent"))),
        }
        for assertion in manifest.get("assertions", [])
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in (assertion.get("data") or {}).get("actions", [])[:MOST_ACTIONS]
    ]
    programs = manifest.get("claim_generator_info") or [{}]
    program = programs[0].get("name") or manifest.get("claim_generator")
    return {
        "issuer": _short(signature.get("issuer")),
        "signer": _short(signature.get("common_name")),
        "program": _short(program),
        "actions": actions[:MOST_ACTIONS],
    }


def _name(agent: object) -> object:
    return agent.get("name") if isinstance(agent, dict) else agent


def _short(value: object) -> str:
    return str(value or "")[:MOST_LETTERS]


if __name__ == "__main__":
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    anchors = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "big")).decode("ascii")
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), anchors)))
