"""What a worker looks at before a fit. A module of its own: of a fit's workflow, workers load no more than this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.core.config import FitConfig
from backend.service.backbones import make_extractor
from backend.service.dataset_info import DatasetInfo
from backend.service.datasets import DatasetStore
from backend.service.fit_columns import FIT_COLUMNS, read_columns
from backend.service.fitting import check_fit, check_splits
from backend.settings import StorePath


@dataclass(frozen=True)
class CheckTask:
    """A data set to be looked at before a fit."""

    datasets: StorePath
    info: DatasetInfo
    config: FitConfig


def check_dataset(task: CheckTask) -> None:
    """Raises what makes a fit impossible. Runs on a worker, since it reads a row for every image."""
    check_fit(read_columns(DatasetStore(task.datasets).index(task.info, FIT_COLUMNS), task.config), task.config)


def describe_extractor(config: FitConfig, info: DatasetInfo, backbones: StorePath) -> tuple[dict[str, Any], str]:
    """The complete spec and the digest of a fit's extractor. Runs on a worker.

    Raises ConfigError for a fine-tuned network that has learnt images which the fit would test it on.
    """
    extractor = make_extractor(config.extractor, backbones)
    check_splits(extractor, info, config)
    return extractor.spec, extractor.digest
