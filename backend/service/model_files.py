"""The files of a fitted detector: card.json, which is written last, the head's arrays, scores of evaluated images."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from backend.core.detector import Detector
from backend.core.errors import IntegrityError, Unreachable
from backend.service.storage import Entry, read_bytes, write_bytes
from backend.settings import StorePath

logger = logging.getLogger(__name__)

Card = dict[str, Any]

CARD, HEAD, PREDICTIONS = "card.json", "head.safetensors", "predictions.parquet"

_DECIDING = ("extractor", "backbone_digest", "calibration", "threshold", "unsure_band", "sides")
_CURVE = ("a", "b", "knots")  # of the calibration; the rest tells how it was found
_NEEDED = ("name", "created_at", "extractor", "head", "calibration", "threshold")


def model_id_for(name: str, job_id: str) -> str:
    """A model's id: a readable slug of its name and a part that is the same whenever the job runs again."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"
    return f"{slug}-{re.sub('[^a-z0-9]', '', job_id)[-8:]}"


def write_head(folder: StorePath, detector: Detector) -> None:
    """Writes the arrays of head and checks into a model's folder; never a pickle."""
    write_bytes(folder / HEAD, save({name: np.ascontiguousarray(a) for name, a in detector.arrays().items()}))


def write_card(folder: StorePath, card: Card) -> None:
    """Writes the card, whole or not at all: from then on the folder is a model."""
    write_bytes(folder / CARD, (json.dumps(card, indent=1, allow_nan=False) + "\n").encode())


def read_arrays(folder: StorePath) -> dict[str, NDArray[Any]]:
    """The head's arrays by name. Raises IntegrityError where they are damaged or gone."""
    try:
        return dict(load(read_bytes(folder / HEAD)))
    except Unreachable:
        raise
    except Exception as error:  # safetensors raises its own errors, the file system others
        raise IntegrityError(
            f"The files of model {folder.name!r} are damaged.", "Delete it and fit it again."
        ) from error


def answers_digest(card: Card, head: StorePath, entry: Entry | None) -> str | None:
    """SHA-256 over all that decides an answer: the head's file and the card's part of it; None where the file is gone.

    Equal for two models exactly where they answer every image alike; a new name or new notes do not change it.
    """
    if entry is None:
        return None
    try:
        arrays = _file_digest(head, entry)
    except FileNotFoundError:
        return None
    parts = {key: card.get(key) for key in _DECIDING}
    parts |= {name: card[name] for name in ("codec", "traces") if card.get(name)}  # earlier models keep their digest
    parts["calibration"] = {key: value for key, value in card["calibration"].items() if key in _CURVE}
    deciding = json.dumps({"head": arrays, **parts}, sort_keys=True)
    return hashlib.sha256(deciding.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _file_digest(path: StorePath, _entry: Entry) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def read_card(path: StorePath) -> Card | None:
    """The card, or None: where there is none, and with a line in the log where it is damaged or another folder's."""
    try:
        card: Card = json.loads(read_bytes(path))
        whole = all(name in card for name in _NEEDED)
        if whole and card["id"] == path.parent.name and isinstance(card["shipped"], bool):
            return card
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    logger.warning("models/%s/%s is not a model's card; it is left alone.", path.parent.name, path.name)
    return None
