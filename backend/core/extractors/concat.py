"""Several extractors side by side: their features in one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import ConfigError
from backend.core.extractors.options import Option, digest_of, fill

VERSION = 1
MOST_PARTS = 8  # each network among them is loaded by every worker
OPTIONS = {
    "parts": Option("list", [], "Specs of the extractors to join, at least two, none of them a concat.", items="object")
}


class ConcatExtractor:
    """The features of `parts`, one after the other. Follows the protocol `Extractor`."""

    def __init__(self, spec: Mapping[str, Any], *, backbones: Path, threads: int, create: Callable[..., Any]) -> None:
        """`create` makes each part from its spec. Raises what it raises, and ConfigError."""
        self.parts = [create(part, backbones=backbones, threads=threads) for part in check_parts(spec)]
        self.spec: dict[str, Any] = {"name": "concat", "parts": [part.spec for part in self.parts]}
        self.feature_names: list[str] = [name for part in self.parts for name in part.feature_names]
        self.dimensions = len(self.feature_names)
        limits: set[int | None] = {part.reduce_above for part in self.parts}
        self.reduce_above = limits.pop() if len(limits) == 1 else None
        self.digest = digest_of(VERSION, "concat", [part.digest for part in self.parts])

    def extract(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimensions) for n RGB images of any and mixed sizes."""
        return np.concatenate([part.extract(images) for part in self.parts], axis=1)


def parts_in(extractor: Any) -> list[Any]:
    """The extractors that stand side by side in it, or itself alone."""
    return extractor.parts if isinstance(extractor, ConcatExtractor) else [extractor]


def check_parts(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The specs to join. Raises ConfigError."""
    parts: list[Mapping[str, Any]] = fill(spec, OPTIONS)["parts"] if "parts" in spec else []
    sound = all(isinstance(part, Mapping) and part.get("name") != "concat" for part in parts)
    if not sound or not 2 <= len(parts) <= MOST_PARTS:
        hint = 'Such as "parts": [{"name": "cnn"}, {"name": "npr"}].'
        raise ConfigError(f"concat needs 2 to {MOST_PARTS} parts that are no concat themselves.", hint)
    return parts
