"""Frozen pretrained networks, pooled per stage, run by ONNX Runtime. Imports torch only where a graph is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.core.errors import UnknownBackbone
from backend.core.extractors.network import NetworkExtractor
from backend.core.extractors.options import Option, digest_of, fill
from backend.core.extractors.stages import PRESETS, STATISTICS

VERSION = 1
"""Raise when the graph or the way to it changes the numbers."""

OFFLINE_BACKBONES = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
"""Networks whose weights come with an installed package; any other one is fetched from timm's hub."""

OPTIONS = {
    "backbone": Option(
        "str",
        OFFLINE_BACKBONES[0],
        f"Pretrained network. Without a download: {', '.join(OFFLINE_BACKBONES)}; any other of timm's is fetched.",
    ),
    "stages": Option(
        "str or list",
        "texture",
        "; ".join(f"{name}: {text}" for name, text in PRESETS.items())
        + "; or a list of stages such as stem, block3, block2.0.dw, block5:mean.",
    ),
    "input_size": Option("int", 64, "Pixels a side that every image is resized to.", minimum=16, maximum=512),
    "pooling": Option("list", ["mean", "std"], "Statistics over the places of each stage's map.", choices=STATISTICS),
    "flips": Option(
        "bool", False, "Features of an image and of its mirror image, averaged: twice the time.", silent_default=True
    ),
}


class CnnExtractor(NetworkExtractor):
    """Pooled stage activations of one frozen network. Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int) -> None:
        """Loads the graph of `spec` from the folder `backbones`, making it there first where it is missing.

        Raises ConfigError, UnknownBackbone, BackboneUnavailable, IntegrityError.
        """
        self.spec = fill(spec, OPTIONS)
        refuse_foreign(self.spec["backbone"])
        path = graph_path(self.spec, backbones)
        if not path.is_file():
            from backend.core.extractors.export import export  # imports torch

            export(path, **{key: value for key, value in self.spec.items() if key != "name"})
        hint = "Delete it from the folder of backbones: the next fit makes it again."
        super().__init__(path, threads, of=self.spec["backbone"], hint=hint)
        self.digest = digest_of(VERSION, self.spec, self.weights)


def graph_path(spec: Mapping[str, Any], backbones: Path) -> Path:
    """Where the graph of a complete spec lies, or will lie once it is exported."""
    return backbones / f"{digest_of(VERSION, dict(spec))}.onnx"


def refuse_foreign(name: str) -> None:
    """Raises UnknownBackbone for an address in place of a network's name."""
    if any(sign in name for sign in ":/\\@"):
        raise UnknownBackbone(
            f"{name!r} is not a network's name.", f"Use a name of timm, such as {OFFLINE_BACKBONES[0]}; no hub address."
        )
