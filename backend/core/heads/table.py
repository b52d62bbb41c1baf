"""The table of heads. It imports no solver: the serving process reads it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeadRow:
    """One kind of head, as `GET /options` shows it."""

    name: str
    summary: str  # one sentence for users
    activation: str  # of the last layer: "sigmoid" or "identity"
    loss: str  # the loss that its evaluation reports: "log_loss" or "hinge"
    options: tuple[str, ...]  # the fields of HeadConfig that it uses
    solver: str  # a key of `fits.SOLVERS`
    objective: str  # the loss that the solver minimises


_COMMON = ("C", "class_weight", "seed")

HEADS: dict[str, HeadRow] = {
    row.name: row
    for row in (
        HeadRow(
            "logreg",
            "Logistic regression: fast, and its scores are log-odds.",
            "sigmoid",
            "log_loss",
            _COMMON,
            "linear",
            "log_loss",
        ),
        HeadRow(
            "svm",
            "Linear support vector machine: the widest margin between REAL and FAKE.",
            "identity",
            "hinge",
            _COMMON,
            "linear",
            "squared_hinge",
        ),
        HeadRow(
            "svm_rbf",
            "Support vector machine with a Gaussian kernel (Nyström): more accurate than a line, slower and larger.",
            "identity",
            "hinge",
            (*_COMMON, "components", "gamma"),
            "kernel",
            "squared_hinge",
        ),
        HeadRow(
            "logreg_sgd",
            "Logistic regression trained in epochs, with the loss of each.",
            "sigmoid",
            "log_loss",
            (*_COMMON, "epochs"),
            "sgd",
            "log_loss",
        ),
        HeadRow(
            "svm_sgd",
            "Linear support vector machine trained in epochs, with the loss of each.",
            "identity",
            "hinge",
            (*_COMMON, "epochs"),
            "sgd",
            "hinge",
        ),
        HeadRow(
            "mlp",
            "Small neural network: the most accurate on many images, trained in epochs with the loss of each.",
            "sigmoid",
            "log_loss",
            (
                *("class_weight", "seed", "epochs", "hidden", "dropout", "mixup"),
                *("learning_rate", "weight_decay", "ensemble"),
            ),
            "mlp",
            "log_loss",
        ),
        HeadRow(
            "multi",
            "Logistic regression, and a specialist for each generator beside it: learns a generator from 50 images.",
            "sigmoid",
            "log_loss",
            _COMMON,
            "multi",
            "log_loss",
        ),
    )
}
