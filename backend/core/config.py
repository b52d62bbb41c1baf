"""What a person chooses before a fit: one frozen, JSON-able record that the model card keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from backend.core.errors import ConfigError
from backend.core.extractors import CNN, DEFAULT_SPEC
from backend.core.finetune import FinetuneConfig
from backend.core.heads import HeadConfig

TARGET_FPR = (0.0001, 0.5)
"""The false-positive rates that a fit can aim at, lowest and highest."""

DOUBT = (0.01, 0.5)
"""The shares of REAL images that a fit may have doubted, lowest and highest."""


@dataclass(frozen=True)
class FitConfig:
    """Extractor, head and the way the images are split. Two equal configs on equal data give equal models."""

    extractor: dict[str, Any] = field(default_factory=lambda: dict(DEFAULT_SPEC))
    head: HeadConfig = field(default_factory=HeadConfig)
    finetune: FinetuneConfig | None = None  # train the network of the extractor cnn further; None: it stays as it is
    validation_fraction: float = 0.1  # of the training images, where the data set names no validation images
    test_fraction: float = 0.2  # of all images, where the data set names no test images
    target_fpr: float | None = None  # share of REAL called FAKE that the threshold aims at; None: best accuracy
    evaluate_test: bool = True  # False while choosing between configs: the test images stay unread
    doubt: float | None = None  # share of REAL that `unsure` may cost for leaning towards fakes; None: no such check
    measure_limits: bool = True  # at the end: what it makes of edited photographs, and of generators left out
    seed: int = 0
    name: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        for name in ("validation_fraction", "test_fraction"):
            value = getattr(self, name)
            if not 0.02 <= value <= 0.5:
                raise ConfigError(f"{name} is {value}.", "Choose a share between 0.02 and 0.5.")
        low, high = TARGET_FPR
        if self.target_fpr is not None and not low <= self.target_fpr <= high:
            raise ConfigError(
                f"target_fpr is {self.target_fpr}.", f"Choose a rate between {low} and {high}, such as 0.01."
            )
        if self.doubt is not None and not DOUBT[0] <= self.doubt <= DOUBT[1]:
            raise ConfigError(f"doubt is {self.doubt}.", f"Choose a share between {DOUBT[0]} and {DOUBT[1]}.")
        if self.finetune is not None and self.extractor.get("name") != CNN:
            raise ConfigError(
                f"finetune is a setting of the extractor {CNN}, and this is {self.extractor.get('name')!r}.",
                f"Use {CNN} alone, or leave finetune out.",
            )

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitConfig:
        """The record that `to_json` wrote; missing keys take their defaults.

        Raises ConfigError on an unknown key or a value of the wrong range.
        """
        _refuse_unknown(values, cls)
        head = values.get("head", {})
        if not isinstance(head, HeadConfig):
            _refuse_unknown(head, HeadConfig)
            head = HeadConfig(**head)
        finetune = values.get("finetune")
        if not isinstance(finetune, FinetuneConfig):
            finetune = FinetuneConfig.from_json(finetune)
        return cls(**{**values, "head": head, "finetune": finetune})


def _refuse_unknown(values: Mapping[str, Any], record: type) -> None:
    known = {f.name for f in fields(record)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"Unknown setting: {', '.join(unknown)}.", f"Known: {', '.join(sorted(known))}.")
