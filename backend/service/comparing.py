"""Two models image by image, on the images that both were evaluated on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.core.errors import NotComparable
from backend.core.paired import compare_calls
from backend.service.model_files import Card
from backend.service.registry import Registry
from backend.service.scored import read_predictions

_COLUMNS = ["row", "path", "label", "split", "probability_fake"]


def compare_models(registry: Registry, model_id: str, other_id: str, split: str = "test") -> dict[str, Any]:
    """What `compare_calls` says of two models, each at its own threshold, with `model_id, other_id, split`.

    Only images that are in `split` for both models count: with another seed an image that tested one model may have
    trained the other. Raises NotFound, IntegrityError, or NotComparable where there is no such image or both are one.
    """
    card, other = registry.get(model_id), registry.get(other_id)
    if model_id == other_id:
        raise NotComparable("A model cannot be compared with itself.", "Name two models.")
    digests = [(one.get("dataset") or {}).get("digest") for one in (card, other)]
    if None in digests or digests[0] != digests[1]:
        raise NotComparable(
            f"The models {model_id!r} and {other_id!r} were fitted on different data sets, or versions of one.",
            "Compare models of the same version of a data set; POST /evaluations measures a model on any other.",
        )
    tables = [_of_split(registry, one, split) for one in (card, other)]
    _, *places = np.intersect1d(*(table["row"].to_numpy() for table in tables), return_indices=True)
    first, second = (table.take(place) for table, place in zip(tables, places, strict=True))
    same = pc.equal(first["path"], second["path"])  # equal content may have been imported with other numbers
    first, second = first.filter(same), second.filter(same)
    if not first.num_rows:
        raise NotComparable(
            f"No {split} image of the model {model_id!r} is one of the model {other_id!r}.",
            "Fit both with the same seed and the same shares of the splits.",
        )
    calls = [_calls(table, one) for table, one in ((first, card), (second, other))]
    found = compare_calls(first["label"].to_numpy(), *calls)
    return {"model_id": model_id, "other_id": other_id, "split": split, **found}


def _of_split(registry: Registry, card: Card, split: str) -> pa.Table:
    """The rows of a split; where there is none, NotComparable."""
    table = read_predictions(registry.folder(card["id"]), _COLUMNS)
    found = None if table is None else table.filter(pc.equal(table["split"], split))
    if not found:
        raise NotComparable(
            f"The model {card['id']!r} was not evaluated on {split} images.", "Fit it with its test images read."
        )
    return found


def _calls(table: pa.Table, card: Card) -> NDArray[np.bool_]:
    called: NDArray[np.bool_] = table["probability_fake"].to_numpy() >= float(card["threshold"])
    return called
