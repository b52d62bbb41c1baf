"""What a person chooses about a head."""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.errors import ConfigError


@dataclass(frozen=True)
class HeadConfig:
    """One head and its settings; those that the head does not use are ignored. JSON-able through `asdict`."""

    name: str = "logreg"
    C: float | None = None  # inverse strength of the L2 penalty (scikit-learn's C); None: by grouped cross-validation
    class_weight: str | None = None  # None, or "balanced": both classes weigh the same however many images each has
    epochs: int = 15  # passes over the training rows, of the sgd heads
    components: int = 2000  # landmarks of the kernel approximation, of svm_rbf
    gamma: float = 0.5  # svm_rbf: kernel width, exp(-gamma * squared distance / dimensions)
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises ConfigError on a value out of its range; an unknown name is for `fit_head` to refuse."""
        if self.C is not None and not 1e-6 <= self.C <= 1e6:
            raise ConfigError(f"C is {self.C}.", "Choose a number from 1e-6 to 1e6, or none to have it chosen.")
        if self.class_weight not in (None, "balanced"):
            raise ConfigError(f"class_weight is {self.class_weight!r}.", 'Choose none or "balanced".')
        if not 1 <= self.epochs <= 1000:
            raise ConfigError(f"epochs is {self.epochs}.", "Choose a number between 1 and 1000.")
        if not 10 <= self.components <= 5000:
            raise ConfigError(f"components is {self.components}.", "Choose a number between 10 and 5000.")
        if not 1e-4 <= self.gamma <= 1e4:
            raise ConfigError(f"gamma is {self.gamma}.", "Choose a number between 0.0001 and 10000.")
