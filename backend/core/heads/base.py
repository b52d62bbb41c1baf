"""What every fitted head offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Labels = NDArray[np.int8]
Progress = Callable[[str, float], None]


class FittedHead(Protocol):
    """Scores rows of features."""

    @property
    def kind(self) -> str:
        """The name under which `load_head` reads it."""
        ...

    @property
    def chosen(self) -> dict[str, Any]:
        """What the fit chose: C, and the losses of the search where there was one."""
        ...

    @property
    def history(self) -> list[dict[str, float]]:
        """Loss and accuracy of every epoch, for the heads that train by epochs; else empty."""
        ...

    def scores(self, X: Rows) -> NDArray[np.float64]:
        """(n,) for features (n, d); higher means FAKE: log-odds (logreg) or margin (svm)."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Named arrays that hold all of it."""
        ...
