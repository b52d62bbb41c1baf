"""What a person chooses about a head."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.core.errors import ConfigError

MOST_LAYERS = 4
WIDEST_LAYER = 4096
"""Most hidden layers of the head mlp, and most units of one."""

FEWEST_IMAGES = 10
"""Images of a generator below which the head multi makes it no specialist."""


@dataclass(frozen=True)
class HeadConfig:
    """One head and its settings; those that the head does not use are ignored. JSON-able through `asdict`."""

    name: str = "logreg"
    C: float | None = None  # inverse strength of the L2 penalty (scikit-learn's C); None: by grouped cross-validation
    class_weight: str | None = None  # None, or "balanced": both classes weigh the same however many images each has
    epochs: int = 15  # passes over the training rows, of the sgd heads and of mlp
    components: int = 2000  # landmarks of the kernel approximation, of svm_rbf
    gamma: float = 0.5  # svm_rbf: kernel width, exp(-gamma * squared distance / dimensions)
    hidden: list[int] = field(default_factory=lambda: [512, 128])  # mlp: widths of its hidden layers, first to last
    dropout: float = 0.3  # mlp: share of each hidden layer that is left out at random while it is trained
    mixup: float = (
        0.4  # mlp: trained on mixtures of two rows, shares from Beta(mixup, mixup); 0: on the rows themselves
    )
    learning_rate: float = 1e-3  # mlp: the largest step of AdamW
    weight_decay: float = 0.01  # mlp: AdamW's decoupled penalty
    ensemble: int = 1  # mlp: networks from different starts whose log-odds are averaged
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
        self._check_network()

    def _check_network(self) -> None:
        check_hidden(self.hidden, "hidden")
        if not 0 <= self.dropout <= 0.9:
            raise ConfigError(f"dropout is {self.dropout}.", "Choose a share between 0 and 0.9.")
        if not 0 <= self.mixup <= 10:
            raise ConfigError(f"mixup is {self.mixup}.", "Choose a number between 0 and 10; 0 mixes nothing.")
        if not 1e-6 <= self.learning_rate <= 1:
            raise ConfigError(f"learning_rate is {self.learning_rate}.", "Choose a number between 0.000001 and 1.")
        if not 0 <= self.weight_decay <= 10:
            raise ConfigError(f"weight_decay is {self.weight_decay}.", "Choose a number between 0 and 10.")
        if not 1 <= self.ensemble <= 10:
            raise ConfigError(f"ensemble is {self.ensemble}.", "Choose a number between 1 and 10.")


def check_hidden(hidden: object, name: str) -> None:
    """Raises ConfigError where the setting `name` gives no widths of hidden layers."""
    most, widest = MOST_LAYERS, WIDEST_LAYER
    widths = hidden if isinstance(hidden, list) else []
    if not 1 <= len(widths) <= most or not all(_is_whole(width) and 4 <= width <= widest for width in widths):
        raise ConfigError(f"{name} is {hidden}.", f"Name 1 to {most} widths, each between 4 and {widest}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
