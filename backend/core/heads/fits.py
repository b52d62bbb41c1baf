"""How each kind of head is fitted. Imports SciPy: import this module only where a fit runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.heads.base import FittedHead, Labels, Progress, Rows
from backend.core.heads.choose import choose_c
from backend.core.heads.config import HeadConfig
from backend.core.heads.kernel import KernelHead, kernel_map
from backend.core.heads.linear import LinearHead
from backend.core.heads.metric import Metric
from backend.core.heads.mlp import MlpHead
from backend.core.heads.multi import MultiHead
from backend.core.heads.multi_fit import with_specialists
from backend.core.heads.primal import PrimalLinear
from backend.core.heads.rows import centre_and_scale
from backend.core.heads.sgd import fit_epochs


@dataclass(frozen=True)
class Fit:
    """What a head's fit is given."""

    X: Rows  # (n, d), left as it is
    y: Labels  # (n,): 1 FAKE, 0 REAL
    groups: NDArray[np.int64]  # (n,): rows that share one stay together
    generators: NDArray[np.str_]  # (n,): of the FAKE rows; "" where it is not known
    config: HeadConfig
    validation: tuple[Rows, Labels] | None
    progress: Progress

    def chosen_c(self, X: Rows, loss: str, *, standardise: bool = True) -> dict[str, Any]:
        """The C to use, with the losses of its candidates where it is searched."""
        config = self.config
        if config.C is not None:
            return {"C": config.C}
        C, losses = choose_c(
            X,
            self.y,
            self.groups,
            loss=loss,
            class_weight=config.class_weight,
            seed=config.seed,
            each_fit=lambda share: self.progress("choose C", share),
            standardise=standardise,
        )
        return {"C": C, "candidates": losses}


EXPECTED_PASSES = 40
"""Passes of the solver over the rows in a usual fit; only the progress shown depends on it."""


def _fit_linear(fit: Fit, loss: str) -> LinearHead:
    chosen = fit.chosen_c(fit.X, loss)
    model = PrimalLinear(loss, chosen["C"], fit.config.class_weight)
    model.fit(fit.X, fit.y, each_pass=_passes(fit.progress))
    return LinearHead(model.coef_, model.intercept_, {**chosen, "iterations": model.n_iter_}, centre=model.mean_)


def _fit_sgd(fit: Fit, loss: str) -> LinearHead:
    chosen = fit.chosen_c(fit.X, "squared_hinge" if loss == "hinge" else loss)
    weights, intercept, history = fit_epochs(
        fit.X,
        fit.y,
        loss,
        chosen["C"],
        epochs=fit.config.epochs,
        class_weight=fit.config.class_weight,
        seed=fit.config.seed,
        validation=fit.validation,
        each_chunk=lambda share: fit.progress("fit head", share),
    )
    return LinearHead(weights, intercept, chosen, history, centre=centre_and_scale(fit.X)[0])


def _fit_kernel(fit: Fit, loss: str) -> KernelHead:
    config = fit.config
    mapped = kernel_map(fit.X, config.components, config.gamma, config.seed)
    features = mapped.features(fit.X, lambda share: fit.progress("kernel features", share))
    chosen = fit.chosen_c(features, loss, standardise=False)
    model = PrimalLinear(loss, chosen["C"], config.class_weight)
    model.fit(features, fit.y, Metric(features, standardise=False), each_pass=_passes(fit.progress))
    return mapped.head(model, {**chosen, "components": len(mapped.landmarks), "iterations": model.n_iter_})


def _fit_mlp(fit: Fit, _loss: str) -> MlpHead:
    from backend.core.heads.mlp_fit import fit_mlp  # imports torch

    return fit_mlp(fit.X, fit.y, fit.config, fit.validation, lambda share: fit.progress("fit head", share))


def _fit_multi(fit: Fit, loss: str) -> MultiHead:
    base = _fit_linear(fit, loss)
    fit.progress("fit specialists", 0.0)
    return with_specialists(base, fit.X, fit.y, fit.generators, fit.config.seed)


def _passes(progress: Progress) -> Callable[[int], None]:
    """The solver does not know how many passes it takes: the share nears 1 from below."""
    return lambda count: progress("fit head", count / (count + EXPECTED_PASSES / 4))


SOLVERS: dict[str, Callable[[Fit, str], FittedHead]] = {
    "linear": _fit_linear,
    "kernel": _fit_kernel,
    "sgd": _fit_sgd,
    "mlp": _fit_mlp,
    "multi": _fit_multi,
}
"""What a row of the heads' table names: (the fit, its objective) -> the fitted head."""
