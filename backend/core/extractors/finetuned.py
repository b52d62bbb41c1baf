"""A network that was fine-tuned here: its graph is stored under the digest of its bytes and cannot be made again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.core.errors import ConfigError
from backend.core.extractors.network import NetworkExtractor
from backend.core.extractors.options import Option, digest_of, fill
from backend.core.extractors.stored import is_digest, read_stored

FINETUNED = "finetuned"
VERSION = 1
"""Raise when the way to run such a graph changes the numbers."""

OPTIONS = {
    "network": Option("str", "", "Which network: the hexadecimal SHA-256 that the card of a fine-tuned model shows."),
}


class FinetunedExtractor(NetworkExtractor):
    """Pooled stage activations of one fine-tuned network. Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:
        """Loads the graph that `spec` names from the folder `backbones`.

        Raises ConfigError, BackboneUnavailable where it is not there, IntegrityError where it is damaged.
        """
        filled = fill(spec, OPTIONS)
        network = check_network(filled["network"])
        path = backbones / file_name(network)
        missing = "Import a model that was exported with it, or fine-tune again."
        hint = "Restore the file, import a model that was exported with it, or fine-tune again."
        read_stored(path, network, "fine-tuned network", if_missing=missing, if_damaged=hint)
        super().__init__(path, threads, of="a fine-tuned network", hint=hint)
        self.spec = filled
        self.digest = digest_of(VERSION, self.spec, self.weights)


def check_network(network: str) -> str:
    """The digest. Raises ConfigError where it is none."""
    if not is_digest(network):
        raise ConfigError(
            f"finetuned.network is {network[:80]!r}.",
            "Give the 64 hexadecimal digits that a fine-tuned model's card shows.",
        )
    return network


def file_name(network: str) -> str:
    """Of the graph in the folder of backbones."""
    return f"finetuned-{network}.onnx"
