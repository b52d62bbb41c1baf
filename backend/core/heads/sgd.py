"""Linear heads trained by stochastic gradient descent in epochs, with the loss of every epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.rows import CHUNK, centre_and_scale, chunks, class_weights

Floats = NDArray[np.float64]


def fit_epochs(
    X: NDArray[np.float32],
    y: NDArray[np.int8],
    loss: str,
    C: float,
    *,
    epochs: int,
    class_weight: str | None,
    seed: int,
    validation: tuple[NDArray[np.float32], NDArray[np.int8]] | None,
    each_chunk: Callable[[float], None],
) -> tuple[NDArray[np.float32], float, list[dict[str, float]]]:
    """(weights (d,) on raw features, intercept, one record an epoch).

    `loss` is "log_loss" or "hinge". Rows are standardised chunk by chunk and drawn in a new order every epoch; the step
    falls with the fourth root of the rows seen from 1 / d (d is the mean squared norm of a standardised row, so no step
    overshoots), and the weights are averaged over all steps (Polyak and Juditsky 1992). A record holds epoch,
    train_loss, train_accuracy and, with `validation`, validation_loss and validation_accuracy.
    """
    from sklearn.linear_model import SGDClassifier  # here, for no other head needs what takes a second to import

    mean, scale = centre_and_scale(X)
    row_weights = class_weights(y, class_weight)
    random = np.random.default_rng(seed)
    model = SGDClassifier(
        loss=loss,
        alpha=1.0 / (C * len(X)),
        learning_rate="invscaling",
        eta0=1.0 / X.shape[1],
        power_t=0.25,
        average=True,
        random_state=seed,
    )
    history: list[dict[str, float]] = []
    for epoch in range(1, epochs + 1):
        order = random.permutation(len(X))
        for number, rows in enumerate(chunks(len(X))):
            drawn = order[rows]
            standard = (X[drawn] - mean) / scale
            model.partial_fit(standard, y[drawn], classes=np.array([0, 1]), sample_weight=row_weights[drawn])
            each_chunk((epoch - 1 + min(1.0, (number + 1) * CHUNK / len(X))) / epochs)
        weights = model.coef_[0] / scale
        intercept = float(model.intercept_[0] - mean @ weights)
        record = {"epoch": float(epoch), **_measured("train", X, y, weights, intercept, loss=loss)}
        if validation is not None and len(validation[1]):
            record |= _measured("validation", *validation, weights, intercept, loss=loss)
        history.append(record)
    return weights.astype(np.float32), intercept, history


def _measured(
    split: str, X: NDArray[np.float32], y: NDArray[np.int8], weights: Floats, intercept: float, *, loss: str
) -> dict[str, float]:
    scores = (X @ weights.astype(np.float32)).astype(np.float64) + intercept
    margins = scores * np.where(y > 0, 1, -1)
    losses = np.logaddexp(0.0, -margins) if loss == "log_loss" else np.maximum(0.0, 1.0 - margins)
    return {f"{split}_loss": float(losses.mean()), f"{split}_accuracy": float(((scores > 0) == (y > 0)).mean())}
