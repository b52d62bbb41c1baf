"""What a person chooses about fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from backend.core.errors import ConfigError
from backend.core.heads.config import check_hidden

PARTS = ("all", "early", "late")
AUGMENTATIONS = ("flip", "shift", "rotate", "erase", "mixup")
BATCH_NORMS = ("adapt", "frozen")
MIXED_PRECISIONS = ("auto", "on", "off")
DEVICES = ("auto", "cpu", "cuda")

RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "learning_rate": (1e-7, 1.0),
    "head_learning_rate": (0.0, 1.0),
    "weight_decay": (0.0, 10.0),
    "batch_size": (2, 4096),
    "patience": (0, 1000),
    "ema": (0.0, 0.99999),
    "dropout": (0.0, 0.9),
    "warmup": (0.0, 0.5),
}
"""Smallest and largest value of each number."""

_WHOLE = ("epochs", "batch_size", "patience")


@dataclass(frozen=True)
class FinetuneConfig:
    """How a network is trained further. JSON-able through `asdict`. Raises ConfigError on a value out of its range."""

    train: str | list[str] = "all"  # what is trained: one of PARTS, or stages such as ["stem", "block3"]
    epochs: int = 10  # passes over the training images
    learning_rate: float = 1e-3  # of the network, at its peak
    head_learning_rate: float = 1e-3  # of the layers on top, at its peak
    weight_decay: float = 0.05  # AdamW, on weights of two and more dimensions
    batch_size: int = 64  # most images a step; small sets take smaller steps
    augment: list[str] = field(default_factory=lambda: ["flip"])  # among AUGMENTATIONS
    patience: int = 0  # epochs in a row without a better validation loss before it stops; 0: never
    ema: float = 0.998  # decay of the moving average of the weights a step; 0: none
    hidden: list[int] = field(default_factory=lambda: [256, 128])  # layers on top; the last one gives the features
    dropout: float = 0.3  # share of each hidden layer left out at random in each step
    warmup: float = 0.05  # share of all steps in which the learning rate rises; then it falls along a cosine
    batch_norm: str = "adapt"  # statistics of batch normalisation: follow the images, or stay as pretrained
    mixed_precision: str = "auto"  # bfloat16: on a GPU only, always, or never
    device: str = "auto"  # a GPU where there is one, else the CPU

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value: Any = getattr(self, name)
            fits = isinstance(value, int if name in _WHOLE else (int, float)) and not isinstance(value, bool)
            if not fits or not low <= value <= high:
                kind = "a whole number" if name in _WHOLE else "a number"
                raise ConfigError(f"finetune.{name} is {value!r}.", f"Choose {kind} from {low:g} to {high:g}.")
        for name, choices in (("batch_norm", BATCH_NORMS), ("mixed_precision", MIXED_PRECISIONS), ("device", DEVICES)):
            if getattr(self, name) not in choices:
                raise ConfigError(f"finetune.{name} is {getattr(self, name)!r}.", f"Choices: {', '.join(choices)}.")
        check_hidden(self.hidden, "finetune.hidden")
        self._check_augment(self.augment)
        self._check_train(self.train)

    @classmethod
    def from_json(cls, values: Any) -> FinetuneConfig | None:
        """The record of plain JSON values: None and False stand for none, True for every default.

        Raises ConfigError on an unknown key or a value that does not fit.
        """
        if values is None or isinstance(values, bool):
            return cls() if values else None
        if not isinstance(values, Mapping):
            raise ConfigError(f"finetune is {values!r}.", "Give true, or an object of its settings.")
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise ConfigError(f"Unknown setting: finetune.{unknown[0]}.", f"Known: {', '.join(known)}.")
        return cls(**values)

    @staticmethod
    def _check_augment(augment: Any) -> None:
        names = augment if isinstance(augment, list) else [augment]
        if bad := [name for name in names if name not in AUGMENTATIONS]:
            raise ConfigError(
                f"finetune.augment has no choice {bad[0]!r}.", f"A list of {', '.join(AUGMENTATIONS)}; or an empty one."
            )
        if not isinstance(augment, list) or len(set(names)) < len(names):
            raise ConfigError(f"finetune.augment is {augment!r}.", "Give a list that names each once.")

    @staticmethod
    def _check_train(train: Any) -> None:
        if isinstance(train, str) and train not in PARTS:
            raise ConfigError(
                f"finetune.train is {train!r}.", f"Choices: {', '.join(PARTS)}; or a list of stages of the network."
            )
        names = train if isinstance(train, list) else [train]
        if not 0 < len(names) <= 200 or not all(isinstance(name, str) for name in names):
            raise ConfigError("finetune.train is no list of stages.", "Such as: stem, block1, block2.")
