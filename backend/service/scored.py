"""What a model said of the images that it was evaluated on, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.core.errors import IntegrityError
from backend.service.model_files import PREDICTIONS
from backend.service.shards import LABEL_NAMES
from backend.service.storage import read_bytes
from backend.settings import StorePath

CELLS = {"tp": (1, 1), "fp": (0, 1), "fn": (1, 0), "tn": (0, 0)}
"""Cells of the confusion matrix: name -> (label, called FAKE). FAKE is the positive class."""


def read_predictions(folder: StorePath, columns: Sequence[str] | None = None) -> pa.Table | None:
    """The scores of a model's evaluated images, all columns or some; None where it has none. Raises IntegrityError."""
    try:
        return pq.read_table(BytesIO(read_bytes(folder / PREDICTIONS)), columns=columns and list(columns))
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(
            f"The predictions of model {folder.name!r} are damaged.", "Delete it and fit it again."
        ) from error


def read_scored(
    folder: StorePath, threshold: float, *, split: str | None, cell: str | None, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """Scores of the evaluated images, worst mistakes first: a page of rows and how many there are in all.

    `folder` is the model's; `cell` is one of CELLS. A row: row, path, label, split, score, probability_fake, predicted.
    Raises IntegrityError.
    """
    table = read_predictions(folder)
    if table is None:
        return [], 0
    keep = np.ones(table.num_rows, dtype=bool)
    label = table["label"].to_numpy()
    probability = table["probability_fake"].to_numpy()
    called = (probability >= threshold).astype(np.int8)
    if split is not None:
        keep &= np.asarray(pc.equal(table["split"], split))
    if cell is not None:
        wanted_label, wanted_call = CELLS[cell]
        keep &= (label == wanted_label) & (called == wanted_call)
    rows = np.flatnonzero(keep)
    certainty_of_truth = np.where(label[rows] == 1, probability[rows], 1 - probability[rows])
    page = rows[np.argsort(certainty_of_truth, kind="stable")][offset : offset + limit]
    return [
        {**item, "label": LABEL_NAMES[item["label"]], "predicted": LABEL_NAMES[called[index]]}
        for index, item in zip(page, table.take(page).to_pylist(), strict=True)
    ], len(rows)
