"""Fitted detectors: models/<id>/ on disk and their rows in the database."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import threading
import time
import zipfile
from collections import OrderedDict
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from backend.core.detector import Detector, restore
from backend.core.errors import Conflict, IntegrityError, NoActiveModel, NotFound
from backend.core.extractors.cnn import CnnExtractor
from backend.service.database import Database
from backend.service.shards import LABEL_NAMES, written_whole

logger = logging.getLogger(__name__)

Card = dict[str, Any]
Cards = list[Card]

CARD, HEAD, PREDICTIONS = "card.json", "head.safetensors", "predictions.parquet"
CELLS = {"tp": (1, 1), "fp": (0, 1), "fn": (1, 0), "tn": (0, 0)}
"""Cells of the confusion matrix: name -> (label, called FAKE). FAKE is the positive class."""

_ACTIVE = "active_model"
_LOADED_AT_ONCE = 4
_STAGING, _TRASH = ".staging-", ".trash-"
_LEFTOVER_SECONDS = 3600.0
_PRESENTED = ("active", "size_bytes", "digest")  # made for each answer, not part of the card on disk
_DECIDING = ("extractor", "backbone_digest", "calibration", "threshold", "unsure_band", "sides")
_NEEDED = ("name", "created_at", "extractor", "head", "calibration", "threshold")


def write_model(folder: Path, card: dict[str, Any], detector: Detector) -> None:
    """Writes the card and the head's arrays into `folder`; never a pickle."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(a) for name, a in detector.head.arrays().items()}, folder / HEAD)
    (folder / CARD).write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")


class Registry:
    """Lists, chooses, changes, exports and loads models. Safe to share between threads."""

    def __init__(self, root: Path, backbones: Path, database: Database, threads: int = 1) -> None:
        self.root, self.backbones, self._database, self._threads = root, backbones, database, threads
        self._loaded: OrderedDict[str, Detector] = OrderedDict()
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Makes the table agree with the folders: a copied-in model appears, a removed one goes; one is active.

        A card that was replaced on disk, as by an update of the shipped model, counts from now on: it belongs to the
        arrays beside it.
        """
        known = {card["id"]: card for card in self._database.list_models()}
        found = {card["id"]: card for path in sorted(self.root.glob(f"[!.]*/{CARD}")) if (card := _read_card(path))}
        for model_id in known.keys() - found.keys():
            self._database.delete_model(model_id)
        for model_id, card in found.items():
            if known.get(model_id) != card:
                self._database.save_model(card)
        if found and self.active() not in found:
            shipped = [model_id for model_id, card in found.items() if card["shipped"]]
            self._database.set_setting(_ACTIVE, (shipped or list(found))[0])

    def staging(self, model_id: str) -> Path:
        """The folder that a fit of this model fills, empty: what an earlier start of the same fit left is removed."""
        path = self.root / f"{_STAGING}{model_id}"
        shutil.rmtree(path, ignore_errors=True)
        return path

    def clear_leftovers(self) -> None:
        """Removes what killed fits and removals left: what nothing has touched for an hour, as servers may share us."""
        for path in [*self.root.glob(f"{_STAGING}*"), *self.root.glob(f"{_TRASH}*")]:
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)

    def add(self, staging: Path, card: dict[str, Any]) -> None:
        """Moves a finished model from `staging` to its place and records it. Doing it twice changes nothing."""
        target = self.root / str(card["id"])
        if not target.exists():
            staging.rename(target)
        self._database.save_model(card)

    def list(self) -> Cards:
        """All cards, newest first."""
        active = self.active()
        cards = [self._present(card, active) for card in self._database.list_models()]
        return sorted(cards, key=lambda card: str(card["created_at"]), reverse=True)

    def get(self, model_id: str) -> dict[str, Any]:
        """One card. Raises NotFound."""
        card = self._database.get_model(model_id)
        if card is None:
            raise NotFound(f"There is no model {model_id!r}.", "GET /models lists the models that exist.")
        return self._present(card, self.active())

    def _present(self, card: dict[str, Any], active: str | None) -> dict[str, Any]:
        folder = self.root / card["id"]
        size = sum(f.stat().st_size for f in folder.glob("*") if f.is_file())
        return {**card, "active": card["id"] == active, "size_bytes": size, "digest": _digest(card, folder / HEAD)}

    def active(self) -> str | None:
        """Id of the model that predictions use unless told otherwise."""
        value = self._database.get_setting(_ACTIVE)
        return str(value) if value else None

    def set_active(self, model_id: str) -> dict[str, Any]:
        """Chooses the model for prediction, for this and every later start. Raises NotFound or IntegrityError."""
        self.get(model_id)
        self.detector(model_id)  # a model that cannot be loaded is never made active
        self._database.set_setting(_ACTIVE, model_id)
        return self.get(model_id)

    def update(self, model_id: str, name: str | None = None, notes: str | None = None) -> dict[str, Any]:
        """Changes what a person wrote about a model; None leaves it."""
        card = {key: value for key, value in self.get(model_id).items() if key not in _PRESENTED}
        changes = {"name": name, "notes": notes}
        card.update({key: value for key, value in changes.items() if value is not None})
        path = self.root / model_id / CARD
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        self._database.save_model(card)
        return self.get(model_id)

    def delete(self, model_id: str) -> None:
        """Removes a model and its files. Raises NotFound, or Conflict for the active one."""
        self.get(model_id)
        if model_id == self.active():
            raise Conflict(f"The model {model_id!r} is active.", "Choose another with POST /set first.")
        trash = self.root / f"{_TRASH}{model_id}"
        shutil.rmtree(trash, ignore_errors=True)  # of a removal that was killed
        with suppress(FileNotFoundError):
            (self.root / model_id).rename(trash)  # at once: a folder half removed would be found by the next start
        self._database.delete_model(model_id)
        shutil.rmtree(trash, ignore_errors=True)
        with self._lock:
            self._loaded.pop(model_id, None)

    def detector(self, model_id: str | None = None) -> Detector:
        """The detector of a model, the active one by default; the last few stay loaded.

        Raises NoActiveModel, NotFound, or IntegrityError where its files are damaged.
        """
        chosen = model_id or self.active()
        if chosen is None:
            raise NoActiveModel("No model is chosen for prediction.", "Fit one (POST /fit), then POST /set.")
        with self._lock:
            if chosen in self._loaded:
                self._loaded.move_to_end(chosen)
                return self._loaded[chosen]
        detector = restore(self.get(chosen), self._arrays(chosen), backbones=self.backbones, threads=self._threads)
        with self._lock:
            self._loaded[chosen] = detector
            while len(self._loaded) > _LOADED_AT_ONCE:
                self._loaded.popitem(last=False)
        return detector

    def _arrays(self, model_id: str) -> dict[str, NDArray[Any]]:
        try:
            return dict(load_file(self.root / model_id / HEAD))
        except Exception as error:  # safetensors raises its own errors, the file system others
            raise IntegrityError(
                f"The files of model {model_id!r} are damaged.", "Delete it and fit it again."
            ) from error

    def predictions(
        self, model_id: str, *, split: str | None = None, cell: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Cards, int]:
        """Scores of the evaluated images, worst mistakes first: a page of rows and how many there are in all.

        `cell` is one of CELLS. A row: row, path, label, split, score, probability_fake, predicted.
        """
        threshold = float(self.get(model_id)["threshold"])
        path = self.root / model_id / PREDICTIONS
        if not path.exists():
            return [], 0
        try:
            table = pq.read_table(path)
        except (pa.ArrowException, OSError) as error:
            raise IntegrityError(
                f"The predictions of model {model_id!r} are damaged.", "Delete it and fit it again."
            ) from error
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

    def export(self, model_id: str, target: Path) -> Path:
        """Writes a zip with the card, the head's arrays and, where the extractor is a network, one ONNX graph."""
        from backend.core.heads.export import bundle  # imports onnx

        detector = self.detector(model_id)
        with written_whole(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (CARD, HEAD):
                archive.write(self.root / model_id / name, f"{model_id}/{name}")
            if isinstance(detector.extractor, CnnExtractor):
                graph = bundle(
                    detector.extractor.path,
                    detector.head,
                    slope=detector.slope,
                    intercept=detector.intercept,
                    card=self.get(model_id),
                )
                archive.writestr(f"{model_id}/detector.onnx", graph)
        return target


def _digest(card: Card, head: Path) -> str | None:
    """SHA-256 over all that decides an answer: the head's file and the card's part of it; None where the file is gone.

    Equal for two models exactly where they answer every image alike; a new name or new notes do not change it.
    """
    try:
        status = head.stat()
        arrays = _file_digest(head, status.st_mtime_ns, status.st_size)
    except OSError:
        return None
    deciding = json.dumps({"head": arrays, **{key: card.get(key) for key in _DECIDING}}, sort_keys=True)
    return hashlib.sha256(deciding.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _file_digest(path: Path, _mtime_ns: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_card(path: Path) -> Card | None:
    """The card, or None with a line in the log where the file is damaged or belongs to another folder."""
    try:
        card: Card = json.loads(path.read_text(encoding="utf-8"))
        whole = all(name in card for name in _NEEDED)
        if whole and card["id"] == path.parent.name and isinstance(card["shipped"], bool):
            return card
    except (OSError, ValueError, KeyError, TypeError):
        pass
    logger.warning("models/%s/%s is not a model's card; it is left alone.", path.parent.name, path.name)
    return None


def model_id_for(name: str, job_id: str) -> str:
    """A model's id: a readable slug of its name and a part that is the same whenever the job runs again."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"
    return f"{slug}-{re.sub('[^a-z0-9]', '', job_id)[-8:]}"
